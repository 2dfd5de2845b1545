"""Which flows, owners, queues and steps take the most of a period."""

from collections.abc import Sequence
from enum import StrEnum

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Row
from ops_platform.adapters.ledger.rollups.totals import totals
from ops_platform.domain.hours import Hours


class Ranked(StrEnum):
    """What is ranked."""

    FLOWS = "flows"
    OWNERS = "owners"
    QUEUES = "queues"
    STEPS = "steps"


class Measure(StrEnum):
    """What it is ranked by."""

    COST = "cost"
    WASTED = "wasted"
    FAILURES = "failures"
    RUNNING = "running"
    WAITING = "waiting"


DIMENSIONS = {
    Ranked.FLOWS: ("account", "flow"),
    # One person is one, in whichever account.
    Ranked.OWNERS: ("owner",),
    Ranked.QUEUES: ("account", "queue"),
    Ranked.STEPS: ("account", "flow", "step"),
}
METRIC_OF = {
    Measure.COST: "cost_usd",
    Measure.WASTED: "wasted_cost_usd",
    Measure.FAILURES: "jobs_failed",
    Measure.RUNNING: "attempt_running_ms",
    Measure.WAITING: "job_waiting_ms",
}


def top(
    ledger: Ledger, ranked: Ranked, measure: Measure, *, hours: Hours, limit: int | None = None
) -> list[Row]:
    """Return a row for each of them that has any of the measure, those with the most first.

    A row has the dimensions, the sums of all measures by the names of their metrics, and
    ``share``: how much of the measure's whole it is.
    """
    by = DIMENSIONS[ranked]
    with ledger.transaction() as tx:
        found = totals(tx, list(METRIC_OF.values()), by=by, hours=hours)
    return _ranked(found, by, METRIC_OF[measure])[:limit]


def _ranked(found: Sequence[Row], by: Sequence[str], metric: str) -> list[Row]:
    groups: dict[tuple[str, ...], Row] = {}
    for row in found:
        names = tuple(row[name] for name in by)
        nothing = dict.fromkeys(METRIC_OF.values(), 0)
        group = groups.setdefault(names, {**dict(zip(by, names, strict=True)), **nothing})
        group[row["metric"]] = _plain(row["total"])
    having = [row for row in groups.values() if row[metric]]
    whole = sum(sorted(row[metric] for row in having))
    having.sort(key=lambda row: (-row[metric], *(row[name] for name in by)))
    return [{**row, "share": row[metric] / whole} for row in having]


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value
