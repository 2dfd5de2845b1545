"""What is said in an alert's thread later: failed again, still broken, recovered."""

from datetime import datetime

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import moment, section
from ops_platform.domain.course import recovery, streak
from ops_platform.domain.headlines import (
    NAME_LIMIT,
    announcement,
    called,
    cause,
    happened,
    over,
    over_sign,
    subject,
)
from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.mrkdwn import clip, escape
from ops_platform.domain.story import Story
from ops_platform.domain.telling import Why
from ops_platform.domain.words import roughly

_STILL = {
    Kind.QUEUE_BLOCKED: "is still blocked",
    Kind.JOB_STUCK: "still has a job that does not start",
}


def render_note(why: Why, story: Story, *, now: datetime) -> Message:
    """Return the note for the thread; who is well again calls nobody."""
    match why:
        case Why.RESOLVED:
            text = _over(story.incident)
        case Why.REMINDER:
            text = _reminder(story, now)
        case Why.FAILED_AGAIN:
            text = _again(story, now)
        case _:
            text = announcement(story)
    return Message(text, [section(text)])


def _over(incident: Incident) -> str:
    return (
        f"{over_sign(incident)} {clip(escape(over(incident)), 2 * NAME_LIMIT)}{recovery(incident)}"
    )


def _again(story: Story, now: datetime) -> str:
    incident = story.incident
    what = clip(escape(happened(incident)), 2 * NAME_LIMIT)
    return (
        f"{called(story)}{what} again, {moment(incident.opened_at)}: {cause(story)}"
        f"{_streak(story, now)}"
    )


def _reminder(story: Story, now: datetime) -> str:
    incident = story.incident
    names = (subject(incident), incident.account)
    what, account = (clip(escape(name), NAME_LIMIT) for name in names)
    still = _STILL.get(incident.kind, "is still broken")
    length = roughly(now - incident.opened_at)
    return (
        f"{called(story)}{what} in {account} {still}, for {length} now: {cause(story)}"
        f"{_streak(story, now)}"
    )


def _streak(story: Story, now: datetime) -> str:
    told = streak(story.track, story.incident, now) if story.track else ""
    return f"\n{told}" if told else ""
