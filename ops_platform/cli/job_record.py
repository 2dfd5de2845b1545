"""One job whole: how it stands and why, the figures compared, what becomes of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click
import msgspec

from ops_platform.cli.output import cell, show_record, table
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.staleness import Judged
from ops_platform.domain.waiting_jobs import WaitingJob, runnable_since
from ops_platform.domain.words import duration
from ops_platform.operations.explain_job import Explained
from ops_platform.operations.policy import account_links
from ops_platform.settings.model import Settings

Row = dict[str, Any]

_SHOWN = 20
_TABLES = {
    "evidence": ("what", "asked", "available"),
    "waits_for": ("job_id", "status"),
    "cancellations": ("judged_at", "verdict", "reason", "outcome", "policy", "asked_by"),
}
_APART = frozenset({*_TABLES, "explanation", "advice", "next", "trouble", "waited_seconds"})


def record(found: Explained, settings: Settings, now: datetime) -> Row:
    """Return all there is to know of a job."""
    waiting, diagnosis = found.waiting, found.diagnosis
    since = runnable_since(waiting) if waiting.job.latest.status == "RUNNABLE" else None
    return {
        **_facts(waiting, settings),
        "told_by": "Batch" if found.by_batch else "the ledger",
        "runnable_since": since,
        "waited_seconds": int((now - since).total_seconds()) if since else None,
        "waited": duration(now - since) if since else None,
        "explanation": found.sentence,
        "advice": found.advice,
        "cause": diagnosis.cause if diagnosis else None,
        "fault": diagnosis.fault.name.lower() if diagnosis else None,
        "blocker": diagnosis.blocker if diagnosis else None,
        "evidence": msgspec.to_builtins(diagnosis.evidence) if diagnosis else [],
        **_verdict(found.judged),
        "next": found.next,
        "waits_for": [{"job_id": job_id, "status": status} for job_id, status in found.waits_for],
        "cancellations": list(map(_cancellation, found.cancellations)),
        "trouble": list(found.trouble),
    }


def show_job_record(shown: Mapping[str, Any]) -> None:
    """Print a job for people: facts, why it stands as it does, the figures, what comes next."""
    facts = {name: value for name, value in shown.items() if name not in _APART}
    show_record({name: value for name, value in facts.items() if value is not None}, as_json=False)
    for name in ("explanation", "advice", "next"):
        if shown[name]:
            click.echo(f"\n{cell(shown[name], widest=None)}")
    for name, columns in _TABLES.items():
        _show_table(name, shown[name], columns)


def _show_table(name: str, rows: list[Row], columns: tuple[str, ...]) -> None:
    if not rows:
        return
    click.echo(f"\n{name.replace('_', ' ').upper()}")
    for line in table(rows[:_SHOWN], columns):
        click.echo(line)
    if len(rows) > _SHOWN:
        click.echo(f"… and {len(rows) - _SHOWN} more; --json has them all.")


def _facts(waiting: WaitingJob, settings: Settings) -> Row:
    job, latest = waiting.job, waiting.job.latest
    links = account_links(settings, job.account)
    return {
        "account": job.account,
        "job_id": waiting.id,
        "status": latest.status,
        "status_reason": latest.status_reason,
        "queue": waiting.queue,
        **{name: getattr(latest, name) for name in ("flow", "step", "run_id", "owner")},
        "vcpus": _whole(latest.vcpus),
        **{name: getattr(latest, name) for name in ("memory_mib", "gpus")},
        "attempt": max(len(latest.attempts) + (job.stopped_at is None), 1),
        **{name: getattr(latest, name) for name in ("created_at", "started_at")},
        "stopped_at": job.stopped_at,
        "log_url": links.log(latest.log_stream) if latest.log_stream else None,
    }


def _whole(vcpus: float | None) -> float | None:
    return int(vcpus) if vcpus is not None and vcpus.is_integer() else vcpus


def _verdict(judged: Judged | None) -> Row:
    verdict = judged.verdict if judged else None
    return {
        "verdict": verdict.decision if verdict else None,
        "why": verdict.why if verdict else None,
        "due_at": verdict.due_at if verdict else None,
        "policy": judged.policy.name if judged else None,
    }


def _cancellation(done: Cancellation) -> Row:
    return dict(msgspec.to_builtins(done, builtin_types=(datetime,)))
