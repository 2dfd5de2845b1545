"""One incident whole: the facts, what is known of its flow and its jobs, and its messages."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
import msgspec

from ops_platform.adapters.ledger import alerts, job_logs, tracks
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.cli.alert_words import for_people
from ops_platform.cli.output import cell, show_record, stamp, table
from ops_platform.cli.previews import previews, show_previews
from ops_platform.domain.incidents import Incident
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.reasons import classify
from ops_platform.domain.story import JobLog, Track
from ops_platform.domain.words import ordinal
from ops_platform.operations.policy import account_links
from ops_platform.settings.model import Settings

Row = dict[str, Any]

JOBS_SHOWN = 20
_TABLES = {
    "steps": ("step", "failed", "collateral", "succeeded"),
    "jobs": ("step", "job_id", "reason", "exit_code", "attempts", "stopped_at"),
    "alerts": ("id", "state", "channel", "part", "why", "reason", "due_at", "sent_at"),
}
_APART = {*_TABLES, "message", "messages", "log", "track"}


def linked(row: Mapping[str, Any], settings: Settings) -> Row:
    """Return an incident's row with the addresses of its pages."""
    links = account_links(settings, row["account"])
    arn, run = row["execution_arn"], row["run_id"]
    return {
        **row,
        "log_url": links.log(row["log_stream"]) if row["log_stream"] else None,
        "execution_url": links.execution(arn) if arn else None,
        "run_url": links.run(row["flow"], run) if run else None,
    }


def record(
    tx: Transaction, row: Mapping[str, Any], incident: Incident, settings: Settings, now: datetime
) -> Row:
    """Return all there is to know of an incident; ``message`` is the first of ``messages``."""
    track = tracks.track(tx, incident)
    log = job_logs.load(tx, incident.account, incident.job_id) if incident.job_id else None
    messages = previews(tx, incident, settings, now)
    first = messages[0]
    return {
        **linked(row, settings),
        "track": asdict(track) if track else None,
        "exception": log.exception if log else None,
        "log": asdict(log) if log else None,
        "jobs": _jobs(tx, incident),
        "alerts": [
            msgspec.to_builtins(each, builtin_types=(datetime,))
            for each in alerts.of_incident(tx, incident.id)
        ],
        "message": {"text": first["text"], "blocks": first["blocks"]},
        "messages": messages,
    }


def show_incident_record(found: Mapping[str, Any]) -> None:
    """Print an incident for people: facts, how the flow did, steps, jobs, log, messages."""
    show_record({k: v for k, v in found.items() if k not in _APART}, as_json=False)
    if found["track"]:
        click.echo(f"\n{in_words(Track(**found['track']))}")
    tables = {
        "steps": [{"step": step, **tally} for step, tally in found["steps"].items()],
        "jobs": found["jobs"],
        "alerts": [for_people(row) for row in found["alerts"]],
    }
    for name, columns in _TABLES.items():
        if tables[name]:
            click.echo(f"\n{name.upper()}")
            for line in table(tables[name], columns):
                click.echo(line)
    if found["log"]:
        click.echo("\nLOG")
        _show_log(JobLog(**found["log"]))
    click.echo("\nMESSAGES")
    show_previews(found["messages"])


def in_words(track: Track) -> str:
    """Return how a flow did until it failed."""
    failures = f"{ordinal(track.failures_in_a_row)} failure in a row"
    if track.last_success_at is not None:
        return f"{failures}; last success {stamp(track.last_success_at)}."
    since = f" since {stamp(track.knows_since)}" if track.knows_since else ""
    return f"{failures}; no success is known{since}."


def _show_log(log: JobLog) -> None:
    if log.tail is None:
        click.echo(f"No log: {log.absence or 'nothing was read'}.")
        return
    if log.truncated:
        click.echo("...")
    for line in log.tail.splitlines():
        click.echo(cell(line, widest=None))


def _jobs(tx: Transaction, incident: Incident) -> list[Row]:
    """Return the first jobs that failed by themselves, step by step."""
    found: list[Job] = []
    for step, tally in incident.steps.items():
        left = JOBS_SHOWN - len(found)
        if tally.failed and left > 0:
            found += tracks.of_step(tx, incident, step, offset=0, limit=left)
    return [_row(job) for job in found]


def _row(job: Job) -> Row:
    latest = job.latest
    return {
        "step": latest.step,
        "job_id": latest.job_id,
        "task_id": latest.task_id,
        "reason": classify(latest),
        "status_reason": latest.status_reason,
        "exit_code": latest.exit_code,
        "attempts": len(latest.attempts),
        "started_at": latest.started_at,
        "stopped_at": job.stopped_at,
        "log_stream": latest.log_stream,
    }
