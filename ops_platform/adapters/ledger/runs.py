"""What the jobs of a run tell of it: which flow's it is, and whose."""

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import runs
from ops_platform.domain.events import Event, JobEvent

_NAMES = ("flow", "owner")


def note(tx: sa.Connection, new: Iterable[tuple[str, Event]]) -> None:
    """Remember flow and owner of the runs that these events of jobs, by account, belong to.

    All jobs of a run name the same; should they differ, the least wins, in whatever order.
    """
    told: dict[tuple[str, str], set[tuple[str | None, str | None]]] = defaultdict(set)
    for account, event in new:
        if isinstance(event, JobEvent) and event.run_id and (event.flow or event.owner):
            told[account, event.run_id].add((event.flow, event.owner))
    if told:
        runs_told = sorted(told.items(), key=lambda item: item[0])
        _merge(tx, [{"account": key[0], "run_id": key[1], **_least(by)} for key, by in runs_told])


def _least(named: Iterable[tuple[str | None, str | None]]) -> dict[str, str | None]:
    columns = zip(_NAMES, zip(*named, strict=True), strict=True)
    return {name: min(filter(None, values), default=None) for name, values in columns}


def _merge(tx: sa.Connection, values: list[dict[str, str | None]]) -> None:
    statement = insert(runs).values(values)
    # Compared by code point, as Python does, whatever the language of the database.
    least = {
        name: sa.func.least(*(sa.collate(each[name], "C") for each in (runs.c, statement.excluded)))
        for name in _NAMES
    }
    changed = sa.tuple_(runs.c.flow, runs.c.owner).is_distinct_from(
        sa.tuple_(least["flow"], least["owner"])
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "run_id"], set_=least, where=changed
        )
    )


def identify(
    tx: sa.Connection, account: str, run_id: str, *, flow: str | None, owner: str | None
) -> None:
    """Remember what a state machine tells of a run, unless jobs told already."""
    values = {"account": account, "run_id": run_id, "flow": flow, "owner": owner}
    tx.execute(insert(runs).values(values).on_conflict_do_nothing())
