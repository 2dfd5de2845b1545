"""How a flow did before it failed, and how it became well again."""

from datetime import datetime, timedelta
from typing import Final

from ops_platform.domain.blocks import moment
from ops_platform.domain.headlines import has_recovered
from ops_platform.domain.incidents import Incident
from ops_platform.domain.mrkdwn import clip, escape
from ops_platform.domain.story import Track
from ops_platform.domain.words import day, duration, ordinal, roughly

_BY_LIMIT: Final = 300
_TOO_SOON: Final = timedelta(days=1)


def streak(track: Track, incident: Incident, now: datetime) -> str:
    """Return how often the flow has failed in a row, and when it succeeded last.

    That it never did is news only of a flow that had the time to.
    """
    row = track.failures_in_a_row
    times = f"*{'First failure' if row == 1 else f'{ordinal(row)} failure in a row'}*"
    last = _last_success(track, incident, now)
    if not last:
        return f"{times}." if row else ""
    return f"{times}; {last}." if row else f"{last[:1].upper()}{last[1:]}."


def recovery(incident: Incident) -> str:
    """Return after how long an incident was over, and what shows it or who says so."""
    length = f" after {broken_for(incident)}" if incident.resolved_at else ""
    by = incident.resolved_by
    told = f"{_as_said(incident)}{clip(escape(by), _BY_LIMIT)}" if by else ""
    return f"{length}{told}."


def _as_said(incident: Incident) -> str:
    """Return what leads to how it was resolved: a person's word begins with a name."""
    by_a_person = ": " in (incident.resolved_by or "") and not has_recovered(incident)
    return " by " if by_a_person else ": "


def broken_for(incident: Incident) -> str:
    """Return how long the flow was broken."""
    return duration((incident.resolved_at or incident.opened_at) - incident.opened_at)


def _last_success(track: Track, incident: Incident, now: datetime) -> str:
    if track.last_success_at is not None:
        before = roughly(incident.opened_at - track.last_success_at)
        return f"last success {before} before, {moment(track.last_success_at)}"
    since = track.knows_since
    if track.failures_in_a_row == 1 or (since and incident.opened_at - since <= _TOO_SOON):
        return ""
    if since is not None:
        return f"no success since {day(since, now)}, when watching began"
    return "no success is known"
