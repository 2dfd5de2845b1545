"""What an alert says: an incident as a Slack message.

All that comes from jobs and flows is foreign text and escaped; the sizes stay far inside Slack's
limits (a section's text 3,000 characters, a message's blocks about 13,200 in all).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, Kind, Tally
from ops_platform.domain.mrkdwn import clip, code, escape, link

STEPS_SHOWN = 10
NAME_LIMIT = 120
ERROR_LIMIT = 600
HEADER_LIMIT = 150
LINK_LIMIT = 560  # five of them share a text of 3,000
HEADLINES = {
    Kind.RUN_FAILED: "failed",
    Kind.RUN_TIMED_OUT: "timed out",
    Kind.RUN_ABORTED: "was aborted",
}
Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one channel: ``text`` is what notifications and screen readers show."""

    text: str
    blocks: Sequence[Block]


def render(incident: Incident, *, links: Links, mention: str | None) -> Message:
    """Return the message of an incident; ``mention`` is Slack markup that names its owner."""
    owner = mention or (code(incident.owner, NAME_LIMIT) if incident.owner else "nobody known")
    headline = f"{incident.flow} {HEADLINES[incident.kind]} in {incident.account}"
    summary = _summary(incident)
    blocks = [
        _header(headline),
        _section(f"{owner}: {summary}"),
        _fields(_facts(incident)),
        *_steps(incident),
        *_error(incident),
        *_links(incident, links),
    ]
    text = f"{owner}: {clip(escape(headline), HEADER_LIMIT)}. {summary}"
    return Message(text=text, blocks=blocks)


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
    opened = int(incident.opened_at.timestamp())
    when = f"<!date^{opened}^{{date_short_pretty}} {{time_secs}}|{incident.opened_at:%F %T}Z>"
    return [*facts, ("Ended", when)]


def _steps(incident: Incident) -> list[Block]:
    hit = [(step, tally) for step, tally in incident.steps.items() if tally.failed]
    hit.sort(key=lambda pair: -pair[1].failed)
    lines = [f"• {code(step, NAME_LIMIT)} {_tally(tally)}" for step, tally in hit[:STEPS_SHOWN]]
    if len(hit) > STEPS_SHOWN:
        lines.append(f"… and {len(hit) - STEPS_SHOWN} more steps")
    return [_section("*Failing steps*\n" + "\n".join(lines))] if lines else []


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
    return [_section(f"*Error*{where}\n{code(incident.error, ERROR_LIMIT)}")]


def _links(incident: Incident, links: Links) -> list[Block]:
    task = log = None
    if incident.job_id and incident.step:
        task = links.task(incident.flow, incident.run_id, incident.step, incident.job_id)
    if incident.log_stream:
        log = links.log(incident.log_stream)
    named = [
        ("Run", links.run(incident.flow, incident.run_id)),
        ("First failed task", task),
        ("Execution", links.execution(incident.execution_arn)),
        ("Log", log),
        ("History", links.history(incident.account, incident.project, incident.flow)),
    ]
    shown = [link(url, name) for name, url in named if url and len(url) <= LINK_LIMIT]
    return [_context(" · ".join(shown))] if shown else []


def _header(text: str) -> Block:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    plain = line if len(line) <= HEADER_LIMIT else line[: HEADER_LIMIT - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": plain, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _fields(facts: Sequence[tuple[str, str]]) -> Block:
    return {"type": "section", "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in facts]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
