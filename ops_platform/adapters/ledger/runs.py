"""Which flow's a run is, and whose: as its jobs tell, or else as its state machine does."""

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import runs
from ops_platform.domain.events import Event, JobEvent

_NAMES = ("flow", "owner")


FLOW = sa.func.coalesce(runs.c.flow, runs.c.machine_flow)
OWNER = sa.func.coalesce(runs.c.owner, runs.c.machine_owner)


def note(tx: sa.Connection, new: Iterable[tuple[str, Event]]) -> set[tuple[str, str]]:
    """Remember flow and owner of the runs that these events of jobs, by account, belong to.

    All jobs of a run name the same; should they differ, the least wins, in whatever order.
    Returns account and id of the runs of which something new is known.
    """
    told: dict[tuple[str, str], set[tuple[str | None, str | None]]] = defaultdict(set)
    for account, event in new:
        if isinstance(event, JobEvent) and event.run_id and (event.flow or event.owner):
            told[account, event.run_id].add((event.flow, event.owner))
    if not told:
        return set()
    ordered = sorted(told.items(), key=lambda item: item[0])
    return _merge(tx, [{"account": key[0], "run_id": key[1], **_least(by)} for key, by in ordered])


def _least(named: Iterable[tuple[str | None, str | None]]) -> dict[str, str | None]:
    columns = zip(_NAMES, zip(*named, strict=True), strict=True)
    return {name: min(filter(None, values), default=None) for name, values in columns}


def _merge(tx: sa.Connection, values: list[dict[str, str | None]]) -> set[tuple[str, str]]:
    statement = insert(runs).values(values)
    # Compared by code point, as Python does, whatever the language of the database.
    least = {
        name: sa.func.least(*(sa.collate(each[name], "C") for each in (runs.c, statement.excluded)))
        for name in _NAMES
    }
    changed = sa.tuple_(runs.c.flow, runs.c.owner).is_distinct_from(
        sa.tuple_(least["flow"], least["owner"])
    )
    merged = statement.on_conflict_do_update(
        index_elements=["account", "run_id"], set_=least, where=changed
    )
    found = tx.execute(merged.returning(runs.c.account, runs.c.run_id))
    return {(row[0], row[1]) for row in found}


def identify(
    tx: sa.Connection, account: str, run_id: str, *, flow: str | None, owner: str | None
) -> None:
    """Remember what the state machine of a run tells, which counts until a job tells.

    It tells what it is now, and may have been deployed again since the run.
    """
    told = {"machine_flow": flow, "machine_owner": owner}
    statement = insert(runs).values(account=account, run_id=run_id, **told)
    tx.execute(statement.on_conflict_do_update(index_elements=["account", "run_id"], set_=told))
