"""What a burst says: many incidents of one flow or cause as one Slack message."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import header, moment, section, sections, time_of_day
from ops_platform.domain.bursts import Burst, By, began, common_of
from ops_platform.domain.headlines import (
    MENTION_LIMIT,
    NAME_LIMIT,
    RESOLVED_SIGN,
    WITHOUT_RUN,
    sign,
)
from ops_platform.domain.identity import Links
from ops_platform.domain.incident_blocks import meant_for as meant_for_channel
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.mrkdwn import clip, code, escape, link
from ops_platform.domain.routes import OF_PLATFORM
from ops_platform.domain.words import counted, duration

RUNS_SHOWN = 10
CALLED = 10
_NAMES_SHOWN = 5
_NAME_LIMIT = 80
_ERROR_LIMIT = 160
_LINK_LIMIT = 300
_WORDS: dict[Kind | None, tuple[str, str]] = {
    Kind.PLATFORM_STALLED: ("check", "checks"),
    Kind.QUEUE_BLOCKED: ("queue", "queues"),
    Kind.CHANGE_FAILED: ("change", "changes"),
}
_HAPPENED: dict[Kind | None, tuple[str, str]] = {
    Kind.MISSED_SCHEDULE: ("did not start", "failed and recovered"),
    Kind.QUEUE_BLOCKED: ("are blocked", "were blocked and move again"),
    Kind.JOB_STUCK: ("wait for jobs that do not start", "had to wait for jobs"),
}


def render_burst(
    burst: Burst,
    *,
    links: Links,
    mentions: Sequence[str],
    meant_for: str | None,
    now: datetime,  # noqa: ARG001 - every message is asked for so, but nothing in here grows old
) -> Message:
    """Return the message of a burst; ``mentions`` is Slack markup that names the owners."""
    headline, called = _headline(burst), _called(burst, mentions)
    blocks = [
        header(f"{sign(None, burst.standing.state)} {headline}"),
        section(f"{called}{_when(burst.members)}{_recovered(burst.members)}"),
        section(_common(burst)),
        *sections(_runs(burst, links)),
        *meant_for_channel(meant_for),
    ]
    told = clip(escape(headline), 3 * NAME_LIMIT)
    return Message(f"{called}{told}{_recovered(burst.members)}", blocks)


def _headline(burst: Burst) -> str:
    members, common = burst.members, common_of(burst.by, burst.members)
    runs = counted(len(members), *_WORDS.get(_only_kind(burst), ("run", "runs")))
    of, why = (f" of {common}", "") if burst.by is By.FLOW else ("", f": {common}")
    return f"{runs}{of} {_happened(burst)} in {members[0].account}{_within(members)}{why}"


def _happened(burst: Burst) -> str:
    happened, and_then = _HAPPENED.get(_only_kind(burst), ("failed", "failed and recovered"))
    return and_then if burst.standing.state is State.RESOLVED else happened


def _only_kind(burst: Burst) -> Kind | None:
    """Return the kind that all of them have, if they have one."""
    kinds = {member.kind for member in burst.members}
    return kinds.pop() if len(kinds) == 1 else None


def _within(members: Sequence[Incident]) -> str:
    length = max(member.opened_at for member in members) - began(members)
    return f" within {duration(length)}" if length else ""


def _called(burst: Burst, mentions: Sequence[str]) -> str:
    """Return the beginning of a line that calls the owners, unless all is well again."""
    if burst.standing.state is State.RESOLVED:
        return ""
    owners = sorted({member.owner for member in burst.members if member.owner})
    names = [clip(mention, MENTION_LIMIT) for mention in mentions[:CALLED]]
    names = names or [code(owner, _NAME_LIMIT) for owner in owners[:CALLED]]
    if len(owners) > CALLED:
        names.append(f"and {counted(len(owners) - CALLED, 'more owner', 'more owners')}")
    colon = "" if mentions else ":"
    if not names and burst.members[0].kind in OF_PLATFORM:
        return ""
    return f"{' '.join(names) or 'Owners unknown'}{colon} "


def _when(members: Sequence[Incident]) -> str:
    last = max(member.opened_at for member in members)
    return f"First {moment(began(members))}, last {moment(last)}"


def _recovered(members: Sequence[Incident]) -> str:
    well = sum(member.state is State.RESOLVED for member in members)
    if not well:
        return ""
    return f" · {RESOLVED_SIGN} {well:,} of {len(members):,} {_well(members[0])}"


def _well(member: Incident) -> str:
    return "over" if member.kind is Kind.JOB_STUCK else "recovered"


def _common(burst: Burst) -> str:
    """Return what the runs have in common, and in what they differ."""
    if burst.by is By.FLOW:
        kinds, what = Counter(member.reason for member in burst.members), "Why"
    else:
        queues = _only_kind(burst) is Kind.QUEUE_BLOCKED
        kinds = Counter(member.flow for member in burst.members)
        what = "Queues" if queues else "Flows"
    error = _common_error(burst)
    said = f"\n*Error* {code(error, _ERROR_LIMIT)}" if error else ""
    return f"*{what}* {_ranked(kinds)}{said}"


def _common_error(burst: Burst) -> str | None:
    errors = {member.error for member in burst.members}
    return errors.pop() if len(errors) == 1 else None


def _ranked(kinds: Counter[str]) -> str:
    """Return names with their numbers, the most frequent first."""
    ranked = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{code(name, _NAME_LIMIT)} × {number:,}" for name, number in ranked[:_NAMES_SHOWN]]
    more = len(ranked) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _runs(burst: Burst, links: Links) -> list[str]:
    newest = sorted(burst.members, key=lambda member: (member.opened_at, member.id), reverse=True)
    shown = newest[:RUNS_SHOWN]
    with_error = _common_error(burst) is None
    lines = [_run(member, burst.by, links, with_error=with_error) for member in shown]
    return ["*The newest*" if len(newest) > len(shown) else "*The runs*", *lines]


def _run(member: Incident, by: By, links: Links, *, with_error: bool) -> str:
    parts = (
        code(member.flow, _NAME_LIMIT) if by is By.CAUSE else None,
        _linked_run(member, links),
        time_of_day(member.opened_at),
        code(member.owner, _NAME_LIMIT) if member.owner else None,
        f"{RESOLVED_SIGN} {_well(member)}" if member.state is State.RESOLVED else None,
        code(member.error, _ERROR_LIMIT) if member.error and with_error else None,
    )
    return f"• {' · '.join(filter(None, parts))}"


def _linked_run(member: Incident, links: Links) -> str:
    arn = member.execution_arn
    url = links.run(member.flow, member.run_id) or (links.execution(arn) if arn else None)
    if url is None or len(url) > _LINK_LIMIT or member.kind in WITHOUT_RUN:
        return code(member.run_id, _NAME_LIMIT)
    return link(url, member.run_id[:_NAME_LIMIT])
