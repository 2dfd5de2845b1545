"""The paragraphs of an incident's message, in the words of whoever has to act on it."""

from datetime import datetime
from typing import Final

from ops_platform.domain.blocks import Block, context, moment, section
from ops_platform.domain.course import streak
from ops_platform.domain.failed_job import attempts, details, host, task_url
from ops_platform.domain.headlines import ERROR_LIMIT, NAME_LIMIT, WITHOUT_RUN, exception
from ops_platform.domain.incidents import OF_RUNS, Incident, Kind, Tally
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.log_excerpt import excerpt
from ops_platform.domain.mrkdwn import code, link
from ops_platform.domain.reasons import Reason, never_ran
from ops_platform.domain.routes import OF_PLATFORM
from ops_platform.domain.story import JobLog, Story
from ops_platform.domain.words import counted, duration

STEPS_SHOWN: Final = 10
LOG_LIMIT: Final = 2000
LINK_LIMIT: Final = 560  # five of them share a text of 3,000
_ENDED: Final = {
    Kind.RUN_TIMED_OUT: "Timed out",
    Kind.RUN_ABORTED: "Aborted",
    Kind.MISSED_SCHEDULE: "Expected",
    Kind.PLATFORM_STALLED: "Since",
    Kind.QUEUE_BLOCKED: "Noticed",
    Kind.JOB_STUCK: "Noticed",
}
_NO_LOG: Final = {
    LogAbsence.MISSING: "CloudWatch has no log of it.",
    LogAbsence.EMPTY: "Its log is empty.",
    LogAbsence.FORBIDDEN: "Its log may not be read: the platform lacks the permission.",
    LogAbsence.UNAVAILABLE: "Its log could not be read when this was written.",
}


def extent(story: Story, now: datetime) -> list[Block]:
    """Return how much failed, and how often it did."""
    past = streak(story.track, story.incident, now) if story.track else ""
    shown = "\n".join(filter(None, (counts(story.incident), past)))
    return [section(shown)] if shown else []


def counts(incident: Incident) -> str:
    """Return how many jobs failed by themselves, were dragged along, and succeeded."""
    if incident.kind not in OF_RUNS:
        return ""
    succeeded = sum(tally.succeeded for tally in incident.steps.values())
    others = f", {succeeded:,} succeeded" if succeeded else ""
    dragged = incident.collateral_jobs
    if incident.failed_jobs:
        failed = counted(incident.failed_jobs, "job failed", "jobs failed")
        if step := _only_step(incident):
            failed += f" in step {step}"
        them = "it" if incident.failed_jobs == 1 else "them"
        if dragged:
            failed += f", {counted(dragged, 'other was', 'others were')} stopped with {them}"
        return f"{failed}{others}."
    if dragged and incident.kind is Kind.RUN_ABORTED:
        return f"{counted(dragged, 'job was', 'jobs were')} stopped with it{others}."
    if dragged:
        return f"No job failed by itself, {dragged:,} ended after the run had{others}."
    return f"Which of its jobs failed is not known{others}."


def facts(story: Story) -> Block:
    """Return which run it was, when, and whose."""
    incident = story.incident
    branch = [code(name, NAME_LIMIT) for name in (incident.project, incident.branch) if name]
    told = [
        _named("Account", code(incident.account, NAME_LIMIT)),
        _named("Project", " / ".join(branch)),
        _named("Owner", code(incident.owner or "", NAME_LIMIT)),
        _named("Severity", str(story.severity or "")),
    ]
    lines = (
        _about(incident),
        _named(_ended_as(incident), _when(incident)),
        " · ".join(filter(None, told)),
    )
    return section("\n".join(filter(None, lines)))


def _ended_as(incident: Incident) -> str:
    by_us = incident.kind is Kind.RUN_ABORTED and incident.reason == Reason.STALE
    return "Stopped" if by_us else _ENDED.get(incident.kind, "Failed")


def _about(incident: Incident) -> str:
    if incident.kind is Kind.QUEUE_BLOCKED:
        return _named("Queue", code(incident.flow, NAME_LIMIT))
    if incident.kind is Kind.CHANGE_FAILED:
        return _named("Record", code(incident.run_id, NAME_LIMIT))
    return _named("Run" if _has_run(incident) else "Check", code(incident.run_id, NAME_LIMIT))


def _has_run(incident: Incident) -> bool:
    return incident.kind not in WITHOUT_RUN


def _named(name: str, value: str) -> str:
    return f"*{name}* {value}" if value else ""


def _when(incident: Incident) -> str:
    started = incident.started_at
    took = f", after {duration(incident.opened_at - started)}" if started else ""
    return f"{moment(incident.opened_at)}{took}"


def failing_steps(incident: Incident) -> list[Block]:
    """Return the steps in which jobs failed by themselves, the worst first.

    One alone is named with the counts of the run.
    """
    if _only_step(incident):
        return []
    hit = [(step, tally) for step, tally in incident.steps.items() if tally.failed]
    hit.sort(key=lambda pair: (-pair[1].failed, pair[0]))
    lines = [f"• {code(step, NAME_LIMIT)} {_tally(tally)}" for step, tally in hit[:STEPS_SHOWN]]
    if len(hit) > STEPS_SHOWN:
        lines.append(f"… and {counted(len(hit) - STEPS_SHOWN, 'more step', 'more steps')}")
    return [section("*Failing steps*\n" + "\n".join(lines))] if lines else []


def _only_step(incident: Incident) -> str | None:
    """Return the step in which all failures are, if they are in one."""
    failed = {step: tally.failed for step, tally in incident.steps.items() if tally.failed}
    only = len(failed) == 1 and sum(failed.values()) == incident.failed_jobs
    return code(next(iter(failed)), NAME_LIMIT) if only else None


def _tally(tally: Tally) -> str:
    parts = [f"{tally.failed:,} failed"]
    if tally.collateral:
        parts.append(f"{tally.collateral:,} stopped with them")
    if tally.succeeded:
        parts.append(f"{tally.succeeded:,} succeeded")
    return ", ".join(parts)


def first_failure(story: Story) -> list[Block]:
    """Return which job failed first, where, how its attempts ended, and the end of its log."""
    if not story.incident.job_id or story.standstill is not None:
        return []
    if story.incident.kind is Kind.QUEUE_BLOCKED:
        return [section(f"*At its head* {_at_the_head(story)}")]
    place = host(story.job.latest) if story.job else None
    where = f"on host {code(place)}" if place else ""
    name = code(story.incident.job_id, NAME_LIMIT)
    told = ", ".join(filter(None, (name, where, _ended(story))))
    log = "" if story.job and never_ran(story.job.latest) else _log(story.log)
    return [section(f"*{_first(story.incident)}* {told}\n{log}".rstrip())]


def _first(incident: Incident) -> str:
    return "Failed job" if incident.failed_jobs == 1 else "First failed job"


def _ended(story: Story) -> str:
    """Return what the lead does not say of the first failure."""
    job = story.job
    if not exception(story):
        return attempts(job.latest) if job else ""
    return (
        details(job.latest, ERROR_LIMIT) if job else code(story.incident.error or "", ERROR_LIMIT)
    )


def _at_the_head(story: Story) -> str:
    """Return which job blocks a queue, and whose it is."""
    latest = story.job.latest if story.job else None
    flow, step, owner = (latest.flow, latest.step, latest.owner) if latest else (None, None, None)
    told = (
        code(story.incident.job_id or "", NAME_LIMIT),
        f"of {code(flow, NAME_LIMIT)}" if flow else "",
        f"step {code(step, NAME_LIMIT)}" if step else "",
        f"owner {code(owner, NAME_LIMIT)}" if owner else "",
    )
    return ", ".join(filter(None, told))


def _log(log: JobLog | None) -> str:
    if log is None:
        return ""
    return excerpt(log, LOG_LIMIT) or (_NO_LOG[log.absence] if log.absence else "")


def links(story: Story) -> list[Block]:
    """Return the pages that show more, and the name by which the command line knows it."""
    incident, to = story.incident, story.links
    arn, stream = incident.execution_arn, incident.log_stream
    named = [
        ("Run", _run(story)),
        ("First failed task", _task(story)),
        ("Execution", to.execution(arn) if arn else None),
        ("Log", to.log(stream) if stream else None),
        ("History", _history(story)),
    ]
    shown = [link(url, name) for name, url in named if url and len(url) <= LINK_LIMIT]
    return [context(" · ".join([*shown, f"Incident {code(incident.id, NAME_LIMIT)}"]))]


def _run(story: Story) -> str | None:
    incident = story.incident
    known = _has_run(incident) and incident.run_id
    return story.links.run(incident.flow, incident.run_id) if known else None


def _history(story: Story) -> str | None:
    incident = story.incident
    if incident.kind in OF_PLATFORM:
        return None
    return story.links.history(incident.account, incident.project, incident.flow)


def _task(story: Story) -> str | None:
    incident = story.incident
    # Metaflow knows a task once its container has begun.
    if story.standstill is not None or incident.kind not in OF_RUNS:
        return None
    if story.job:
        return task_url(story.links, incident.flow, incident.run_id, story.job.latest)
    # Of a run by hand, only the job itself tells the task's id.
    if incident.kind is Kind.INTERACTIVE_FAILED or not (incident.job_id and incident.step):
        return None
    return story.links.task(incident.flow, incident.run_id, incident.step, incident.job_id)


def meant_for(channel: str | None) -> list[Block]:
    """Return, in a message that went elsewhere, which channel it was meant for."""
    if channel is None:
        return []
    return [context(f"Meant for {code(channel, NAME_LIMIT)}, which cannot be posted to.")]
