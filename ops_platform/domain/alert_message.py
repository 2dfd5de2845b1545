"""What an alert says: an incident as a Slack message.

All that comes from jobs and flows is foreign text and escaped; the sizes stay far inside Slack's
limits (a section's text 3,000 characters, a message's blocks about 13,200 in all).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_platform.domain.blocks import (
    HEADER_LIMIT,
    Block,
    context,
    fields,
    header,
    moment,
    section,
)
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, Kind, Tally
from ops_platform.domain.mrkdwn import clip, code, escape, link
from ops_platform.domain.story import Story

STEPS_SHOWN = 10
NAME_LIMIT = 120
ERROR_LIMIT = 600
TEXT_LIMIT = 4000
LINK_LIMIT = 560  # five of them share a text of 3,000
HEADLINES = {
    Kind.RUN_FAILED: "failed",
    Kind.RUN_TIMED_OUT: "timed out",
    Kind.RUN_ABORTED: "was aborted",
    Kind.INTERACTIVE_FAILED: "failed",
    Kind.MISSED_SCHEDULE: "did not start",
    Kind.PLATFORM_STALLED: "stands still",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one channel: ``text`` is what notifications and screen readers show."""

    text: str
    blocks: Sequence[Block]


def render(story: Story, now: datetime) -> Message:  # noqa: ARG001
    """Return the message of an incident."""
    incident, mention = story.incident, story.mention
    owner = mention or (code(incident.owner, NAME_LIMIT) if incident.owner else "nobody known")
    headline = f"{incident.flow} {HEADLINES[incident.kind]} in {incident.account}"
    summary = _summary(incident)
    blocks = [
        header(headline),
        section(f"{owner}: {summary}"),
        fields(_facts(incident)),
        *_steps(incident),
        *_error(incident),
        *_links(incident, story.links),
    ]
    text = f"{owner}: {clip(escape(headline), HEADER_LIMIT)}. {summary}"
    return Message(text=text, blocks=blocks)


def render_plain(message: Message) -> Message:
    """Return the message as text alone, for when Slack refuses its blocks."""
    return Message(text=clip(message.text, TEXT_LIMIT), blocks=())


def _summary(incident: Incident) -> str:
    jobs = _counted(incident.failed_jobs, "job failed", "jobs failed")
    if not incident.failed_jobs:
        jobs = "no job failed by itself"
    dragged = incident.collateral_jobs
    aborted = (
        f", {_counted(dragged, 'other was', 'others were')} stopped with it" if dragged else ""
    )
    return f"*{escape(incident.reason)}*: {jobs}{aborted}."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _facts(incident: Incident) -> list[tuple[str, str]]:
    named = [
        ("Flow", incident.flow),
        ("Project", incident.project),
        ("Branch", incident.branch),
        ("Account", incident.account),
        ("Run", incident.run_id),
        ("Owner", incident.owner),
    ]
    facts = [(name, code(value, NAME_LIMIT)) for name, value in named if value]
    return [*facts, ("Ended", moment(incident.opened_at))]


def _steps(incident: Incident) -> list[Block]:
    hit = [(step, tally) for step, tally in incident.steps.items() if tally.failed]
    hit.sort(key=lambda pair: -pair[1].failed)
    lines = [f"• {code(step, NAME_LIMIT)} {_tally(tally)}" for step, tally in hit[:STEPS_SHOWN]]
    if len(hit) > STEPS_SHOWN:
        lines.append(f"… and {len(hit) - STEPS_SHOWN} more steps")
    return [section("*Failing steps*\n" + "\n".join(lines))] if lines else []


def _tally(tally: Tally) -> str:
    parts = [f"{tally.failed:,} failed"]
    if tally.collateral:
        parts.append(f"{tally.collateral:,} stopped with them")
    if tally.succeeded:
        parts.append(f"{tally.succeeded:,} succeeded")
    return ", ".join(parts)


def _error(incident: Incident) -> list[Block]:
    if not incident.error:
        return []
    where = f" of the first one, in {code(incident.step, NAME_LIMIT)}" if incident.step else ""
    return [section(f"*Error*{where}\n{code(incident.error, ERROR_LIMIT)}")]


def _links(incident: Incident, links: Links) -> list[Block]:
    task = log = None
    if incident.job_id and incident.step:
        task = links.task(incident.flow, incident.run_id, incident.step, incident.job_id)
    if incident.log_stream:
        log = links.log(incident.log_stream)
    named = [
        ("Run", links.run(incident.flow, incident.run_id)),
        ("First failed task", task),
        ("Execution", links.execution(incident.execution_arn) if incident.execution_arn else None),
        ("Log", log),
        ("History", links.history(incident.account, incident.project, incident.flow)),
    ]
    shown = [link(url, name) for name, url in named if url and len(url) <= LINK_LIMIT]
    return [context(" · ".join(shown))] if shown else []
