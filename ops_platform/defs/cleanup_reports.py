"""What Dagster shows of one cleanup: what was judged and why, and whether the queues move."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import dagster as dg

from ops_platform.domain.staleness import Decision
from ops_platform.domain.words import counted
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.show_cleaned import (
    Row,
    blocked_rows,
    counts_by_decision,
    judged_rows,
    summary,
)

CHECK = "queues_move"
_MOST_ROWS = 200
_JUDGED = (
    "verdict", "reason", "outcome", "flow", "step", "queue", "age", "diagnosis", "advice", "owner",
    "policy", "job_id", "run_id",
)  # fmt: skip
_BLOCKED = ("queue", "since", "waiting", "held_back", "diagnosis", "advice", "blocker")


def materialization(
    key: dg.AssetKey, done: Cleaned, *, checks: Sequence[dg.AssetCheckResult], now: datetime
) -> dg.MaterializeResult[None]:
    """Return what one cleanup came to."""
    rows = judged_rows(done, now)
    metadata: dict[str, dg.MetadataValue] = {
        "summary": dg.MetadataValue.text(summary(done)),
        "judged": _table(rows[:_MOST_ROWS], _JUDGED),
        "mode": dg.MetadataValue.text("enforce" if done.enforce else "observe"),
        "waiting": dg.MetadataValue.int(done.waiting),
        **{
            f"{decision}_jobs": dg.MetadataValue.int(number)
            for decision, number in _by_name(counts_by_decision(done)).items()
        },
        "acted_on": dg.MetadataValue.int(len(done.cancelled)),
        "api_calls": dg.MetadataValue.int(done.calls.total()),
        "verdicts": _table(_verdicts(done), ("verdict", "reason", "jobs")),
        "calls_by_action": _table(_calls(done), ("action", "calls")),
    }
    if done.oldest is not None:
        metadata["oldest_seconds"] = dg.MetadataValue.float(done.oldest.total_seconds())
    return dg.MaterializeResult(asset_key=key, metadata=metadata, check_results=checks)


def check_result(key: dg.AssetKey, done: Cleaned) -> dg.AssetCheckResult:
    """Return whether each queue moves; it fails while one in which jobs wait does not.

    It is a warning where not all queues could be looked at, since nobody knows.
    """
    told = [f"{each.queue}: {each.sentence} {each.advice}" for each in done.blocked]
    if done.unfinished:
        told.append("Not all queues were looked at.")
    queues = counted(len(done.queues), "queue", "queues")
    error, warning = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not told,
        severity=error if done.blocked else warning,
        description=" ".join(told) or f"Of {queues}, each moves, or nothing waits in it.",
        metadata={"blocked": _table(blocked_rows(done), _BLOCKED)},
    )


def _by_name(numbers: Mapping[Decision, int]) -> dict[str, int]:
    return {decision.value: number for decision, number in numbers.items()}


def _verdicts(done: Cleaned) -> list[Row]:
    return [
        {"verdict": decision.value, "reason": why.value, "jobs": number}
        for (decision, why), number in sorted(done.counts.items())
        if number
    ]


def _calls(done: Cleaned) -> list[Row]:
    return [{"action": action, "calls": number} for action, number in sorted(done.calls.items())]


def _table(rows: Sequence[Row], columns: Sequence[str]) -> dg.TableMetadataValue:
    records = [dg.TableRecord({name: _cell(row[name]) for name in columns}) for row in rows]
    schema = dg.TableSchema([dg.TableColumn(name) for name in columns])
    return dg.MetadataValue.table(records, schema=schema)


def _cell(value: object) -> str | int:
    if isinstance(value, int):
        return value
    return "" if value is None else str(value)
