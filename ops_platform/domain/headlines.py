"""The first words of every message: who is called, what happened, where and why."""

import re

from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.mrkdwn import clip, code, escape
from ops_platform.domain.routes import Severity
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
}
_SIGNS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵", None: "🔴"}
RESOLVED_SIGN = "🟢"
_WELL_AGAIN = re.compile(
    r"run \S+ (?:succeeded|started)|a redrive of the run succeeded"
    r"|the failed tasks were retried|the check passes again"
)
# Of these there is no run to look at, and the error is sentences of ours.
WITHOUT_RUN = frozenset({Kind.MISSED_SCHEDULE, Kind.PLATFORM_STALLED})


def sign(severity: Severity | None, state: State) -> str:
    """Return the coloured dot that begins a headline."""
    return RESOLVED_SIGN if state is State.RESOLVED else _SIGNS[severity]


def happened(incident: Incident) -> str:
    """Return in plain text what happened to which flow in which account."""
    names = {"flow": incident.flow, "account": incident.account, "run": incident.run_id}
    return _HAPPENED[incident.kind].format(**names)


def over(incident: Incident) -> str:
    """Return in plain text that a flow is well again, or else that somebody says it is over."""
    if has_recovered(incident):
        return f"{incident.flow} recovered in {incident.account}"
    return f"The incident of {incident.flow} in {incident.account} is resolved"


def has_recovered(incident: Incident) -> bool:
    """Tell whether a success resolved the incident, rather than somebody's word."""
    return bool(incident.resolved_by and _WELL_AGAIN.fullmatch(incident.resolved_by))


def called(story: Story) -> str:
    """Return the beginning of a line that calls the owner."""
    if story.mention:
        return f"{clip(story.mention, MENTION_LIMIT)} "
    if story.incident.owner:
        return f"{code(story.incident.owner, NAME_LIMIT)}: "
    return "" if story.incident.kind is Kind.PLATFORM_STALLED else "Owner unknown: "


def announcement(story: Story) -> str:
    """Return the line that notifications show: who is called, what happened, where and why."""
    what = clip(escape(happened(story.incident)), 2 * NAME_LIMIT)
    return f"{called(story)}{what}{_in_step(story.incident, ', step ')}{_why(story)}"


def cause(story: Story) -> str:
    """Return why it happened: the reason, where, and the words of the error."""
    incident = story.incident
    reason = "reason unknown" if incident.reason == "unknown" else incident.reason
    return f"*{clip(escape(reason), REASON_LIMIT)}*{_in_step(incident, ' in step ')}{_why(story)}"


def exception(story: Story) -> str | None:
    """Return the exception that a job's log shows, if it is known."""
    return story.log.exception if story.log else None


def _why(story: Story) -> str:
    incident = story.incident
    if incident.kind in WITHOUT_RUN:
        words = clip(escape(incident.error or ""), ERROR_LIMIT)
    else:
        words = code(exception(story) or incident.error or "", ERROR_LIMIT)
    if incident.kind is Kind.RUN_ABORTED and not words:
        return ", no cause was given"
    return f": {words}" if words else ""


def _in_step(incident: Incident, preposition: str) -> str:
    return preposition + code(incident.step, NAME_LIMIT) if incident.step else ""
