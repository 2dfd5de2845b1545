"""What an alert says: an incident as a Slack message.

It begins with what its reader has to know at three in the morning; what only an investigation
wants comes last. All that comes from jobs and flows is foreign text and escaped; each part has a
limit, so that together they stay within Slack's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_platform.domain.blocks import Block, header, moment, section, texts
from ops_platform.domain.course import recovery
from ops_platform.domain.headlines import (
    NAME_LIMIT,
    announcement,
    called,
    cause,
    happened,
    has_recovered,
    lead,
    over,
    over_sign,
    sign,
)
from ops_platform.domain.incident_blocks import (
    counts,
    extent,
    facts,
    failing_steps,
    first_failure,
    links,
    meant_for,
)
from ops_platform.domain.incidents import OF_RUNS, State
from ops_platform.domain.mrkdwn import clip, escape
from ops_platform.domain.standstill_blocks import sentences, standstill
from ops_platform.domain.story import Story

TEXT_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Message:
    """A message for one channel: ``text`` is what notifications and screen readers show.

    What the headline and the first section say, the text says too.
    """

    text: str
    blocks: Sequence[Block]


def render(story: Story, now: datetime) -> Message:
    """Return the message of an incident, as it stands in its channel.

    Of ``now`` it shows at most the year, so that it is edited only if there is news.
    """
    if story.incident.state is State.RESOLVED:
        return _resolved(story)
    incident = story.incident
    blocks = [
        header(f"{sign(story.severity, incident.state)} {happened(incident)}"),
        section(f"{called(story)}{lead(story)}"),
        *_at_length(story),
        *extent(story, now),
        facts(story),
        *failing_steps(incident),
        *first_failure(story),
        *links(story),
        *meant_for(story.meant_for),
    ]
    return Message(announcement(story), blocks)


def _at_length(story: Story) -> list[Block]:
    """Return what the first words leave out, of what failed by no error of its code."""
    found = standstill(story)
    return found if story.incident.kind in OF_RUNS else [*found, *sentences(story.incident)]


def render_plain(message: Message) -> Message:
    """Return the message as text alone, for when Slack refuses its blocks."""
    parts = [" · ".join(texts(block)) for block in message.blocks]
    if message.blocks and message.blocks[0]["type"] == "header":
        parts = parts[2:]
    text = clip(message.text, TEXT_LIMIT)
    for part in parts[1:] if parts[:1] == [message.text] else parts:
        if len(text) + 1 + len(part) <= TEXT_LIMIT:
            text += f"\n{part}"
    return Message(text, ())


def _resolved(story: Story) -> Message:
    """Return the message of an incident that is over: what it was, without what it said."""
    incident = story.incident
    done, verb = recovery(incident), "Recovered" if has_recovered(incident) else "Resolved"
    at = f" {moment(incident.resolved_at)}" if incident.resolved_at else ""
    blocks = [
        header(f"{over_sign(incident)} {over(incident)}"),
        section(f"*{verb}*{at}{done}"),
        section(f"Before that: {cause(story)}\n{counts(incident)}".strip()),
        facts(story),
        *failing_steps(incident),
        *links(story),
        *meant_for(story.meant_for),
    ]
    return Message(f"{clip(escape(over(incident)), 2 * NAME_LIMIT)}{done}", blocks)
