"""The first words of every message: who is called, what happened, where and why."""

import re

from ops_platform.domain.incidents import OF_RUNS, Incident, Kind, State
from ops_platform.domain.mrkdwn import clip, code, escape
from ops_platform.domain.reasons import NEVER_BEGAN, Reason
from ops_platform.domain.routes import OF_PLATFORM, Severity
from ops_platform.domain.story import Story

NAME_LIMIT = 120
MENTION_LIMIT = 100
ERROR_LIMIT = 400
REASON_LIMIT = 80
_HAPPENED = {
    Kind.RUN_FAILED: "{flow} failed in {account}",
    Kind.RUN_TIMED_OUT: "{flow} timed out in {account}",
    Kind.RUN_ABORTED: "{flow} was aborted by a person in {account}",
    Kind.INTERACTIVE_FAILED: "{flow} failed in {account}, run by hand",
    Kind.MISSED_SCHEDULE: "{flow} did not start in {account}",
    Kind.PLATFORM_STALLED: "{flow} stands still in {account}: {run}",
    Kind.QUEUE_BLOCKED: "Queue {flow} is blocked in {account}",
    Kind.JOB_STUCK: "A job of {flow} does not start in {account}",
    Kind.CHANGE_FAILED: "A change of {flow} in {account} failed",
}
_COULD_NOT_START = {
    Kind.RUN_FAILED: "{flow} failed in {account}: a job could not start",
    Kind.RUN_ABORTED: "{flow} was stopped in {account}: a job could not start",
    Kind.INTERACTIVE_FAILED: "{flow} failed in {account}, run by hand: a job could not start",
}
_SIGNS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵", None: "🔴"}
RESOLVED_SIGN, OVER_SIGN = "🟢", "⚪"
_WELL_AGAIN = re.compile(
    r"run \S+ (?:succeeded|started)|a redrive of the run succeeded"
    r"|the failed tasks were retried|the check passes again"
    r"|the queue moves again|the job started|change \S+ succeeded"
)
WITHOUT_RUN = frozenset(
    {Kind.MISSED_SCHEDULE, Kind.PLATFORM_STALLED, Kind.QUEUE_BLOCKED, Kind.CHANGE_FAILED}
)
"""Of these there is no run to look at."""


def sign(severity: Severity | None, state: State) -> str:
    """Return the coloured dot that begins a headline."""
    return RESOLVED_SIGN if state is State.RESOLVED else _SIGNS[severity]


def over_sign(incident: Incident) -> str:
    """Return the dot of an incident that is over; a warning that came true is no good news."""
    bad = incident.kind is Kind.JOB_STUCK and not has_recovered(incident)
    return OVER_SIGN if bad else RESOLVED_SIGN


def happened(incident: Incident) -> str:
    """Return in plain text what happened to which flow in which account."""
    names = {"flow": incident.flow, "account": incident.account, "run": incident.run_id}
    words = _HAPPENED[incident.kind]
    if incident.reason in NEVER_BEGAN:
        words = _COULD_NOT_START.get(incident.kind, words)
    return words.format(**names)


def subject(incident: Incident) -> str:
    """Return in plain text what an incident is about: a flow, mostly."""
    is_queue = incident.kind is Kind.QUEUE_BLOCKED
    return f"Queue {incident.flow}" if is_queue else incident.flow


def over(incident: Incident) -> str:
    """Return in plain text that a flow is well again, or else that somebody says it is over."""
    if has_recovered(incident):
        return f"{subject(incident)} recovered in {incident.account}"
    if incident.kind is Kind.JOB_STUCK:
        return f"The warning about {incident.flow} in {incident.account} is over"
    return f"The incident of {subject(incident)} in {incident.account} is resolved"


def has_recovered(incident: Incident) -> bool:
    """Tell whether a success resolved the incident, rather than somebody's word."""
    return bool(incident.resolved_by and _WELL_AGAIN.fullmatch(incident.resolved_by))


def called(story: Story) -> str:
    """Return the beginning of a line that calls the owner."""
    if story.mention:
        return f"{clip(story.mention, MENTION_LIMIT)} "
    if story.incident.owner:
        return f"{code(story.incident.owner, NAME_LIMIT)}: "
    return "" if story.incident.kind in OF_PLATFORM else "Owner unknown: "


def announcement(story: Story) -> str:
    """Return the line that notifications show: who is called, what happened, where and why."""
    what = clip(escape(happened(story.incident)), 2 * NAME_LIMIT)
    return f"{called(story)}{what}{_in_step(story, ', step ')}{_why(story)}"


def cause(story: Story) -> str:
    """Return why it happened: the reason, where, and the words of the error."""
    return f"{_reason(story)}{_why(story)}"


def lead(story: Story) -> str:
    """Return why it happened, as it stands above the paragraph that says it at length."""
    if story.standstill is None:
        return cause(story)
    named = story.standstill.cause
    return f"{_reason(story)}{f': {clip(escape(named), REASON_LIMIT)}' if named else ''}"


def exception(story: Story) -> str | None:
    """Return the exception that a job's log shows, if it is known and why it failed."""
    return story.log.exception if story.log and story.standstill is None else None


def _reason(story: Story) -> str:
    said = story.incident.reason
    reason = "reason unknown" if said == Reason.UNKNOWN else said
    return f"*{clip(escape(reason), REASON_LIMIT)}*{_in_step(story, ' in step ')}"


def _why(story: Story) -> str:
    incident = story.incident
    if story.standstill is not None:
        words = clip(escape(story.standstill.sentence), ERROR_LIMIT)
    elif incident.kind not in OF_RUNS:
        words = clip(escape((incident.error or "").strip().split("\n")[0]), ERROR_LIMIT)
    else:
        words = code(exception(story) or incident.error or "", ERROR_LIMIT)
    if incident.kind is Kind.RUN_ABORTED and not words:
        return ", no cause was given"
    return f": {words}" if words else ""


def _in_step(story: Story, preposition: str) -> str:
    step = story.incident.step or (story.standstill.step if story.standstill else None)
    return preposition + code(step, NAME_LIMIT) if step else ""
