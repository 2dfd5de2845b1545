"""What is wrong with each part of the platform, judged from what is known of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.health import Finding, What
from ops_platform.domain.words import counted, duration

# Fewer may be a hand-made message; more, and AWS speaks a language that the parser does not know.
REJECTED_AT_LEAST = 10
REJECTED_WITHIN = timedelta(hours=1)
DEAD_WITHIN = timedelta(hours=24)
# Reading the history of many machines for the first time may take that long.
FIRST_READING = timedelta(days=1)
MISSED_INTERVALS = 3
# One attempt in vain is every-day; how long it goes on is seen by looking again.
TRIED_IN_VAIN = 2
_ERROR_LIMIT = 120


@dataclass(frozen=True, slots=True)
class Ingest:
    """The queue of an account, and what came out of it.

    ``waiting`` is how many messages wait, or why nobody could be asked. ``comes_in`` says that the
    ledger holds an event that happened within the limit.
    """

    account: str
    waiting: int | str
    comes_in: bool


@dataclass(frozen=True, slots=True)
class Outbox:
    """The alerts of an account that are not delivered, each count with the oldest of its kind.

    Nobody has tried ``overdue`` ones since ``overdue_since``. ``refused`` ones were tried more than
    once, the last time with ``refusal``. Of ``unsure`` ones nobody knows since ``unsure_since``
    whether they arrived, and ``dead`` ones died within a day.
    """

    account: str
    overdue: int = 0
    overdue_since: datetime | None = None
    refused: int = 0
    refusal: str | None = None
    unsure: int = 0
    unsure_since: datetime | None = None
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How far the executions of an account's state machines are read.

    ``oldest`` is the watermark that is the longest behind, None if no machine was read yet;
    ``behind`` counts the machines whose watermark is older than it may be, ``unread`` those that
    were never read. The account is watched since ``watched_since``.
    """

    account: str
    machines: int
    behind: int = 0
    oldest: datetime | None = None
    unread: int = 0
    watched_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cleanup:
    """When an account was last searched for stale jobs to the end, None for never yet."""

    account: str
    cleaned_at: datetime | None = None
    watched_since: datetime | None = None


class AutomationKind(StrEnum):
    """What ticks."""

    SENSOR = "sensor"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Automation:
    """A sensor or a schedule with its ticks.

    ``due_at`` is when it had to tick next after ``ticked_at``, its last tick, if there is one.
    ``failures`` is how many ticks in a row have failed, the last of them with ``error``; the last
    that did not was at ``well_at``.
    """

    name: str
    kind: AutomationKind
    is_on: bool
    due_at: datetime
    ticked_at: datetime | None = None
    failures: int = 0
    well_at: datetime | None = None
    error: str | None = None


def judge_ingest(facts: Ingest, *, limit: timedelta) -> list[Finding]:
    """Judge whether events come out of an account's queue."""
    if isinstance(facts.waiting, str):
        sentence = f"The queue of {facts.account} cannot be read. {facts.waiting}"
        return [Finding(What.QUEUE_UNREADABLE, sentence, is_old=False)]
    if not facts.waiting or facts.comes_in:
        return []
    wait = counted(facts.waiting, "message waits", "messages wait")
    sentence = (
        f"{wait} in the queue of {facts.account}, and no event of the last {duration(limit)} is in"
        " the ledger: runs that fail now are not told. Look at its ingest sensor in Dagster."
    )
    # How long the first of them waits, only CloudWatch knows.
    return [Finding(What.EVENTS_WAIT, sentence, is_old=False)]


def judge_delivery(facts: Outbox, *, now: datetime) -> list[Finding]:
    """Judge whether an account's alerts reach Slack."""
    return list(_undelivered(facts, now))


def _undelivered(facts: Outbox, now: datetime) -> Iterator[Finding]:
    if facts.overdue and facts.overdue_since:
        yield Finding(
            What.OVERDUE,
            f"{_alerts(facts.overdue)} of {facts.account} should have been sent,"
            f" the oldest {duration(now - facts.overdue_since)} ago, and nobody tries."
            " Look at the sensor deliver_alerts in Dagster.",
        )
    if facts.refused:
        yield Finding(
            What.REFUSED,
            f"Slack does not take {_alerts(facts.refused)} of {facts.account},"
            f" however often they are tried: {_short(facts.refusal)}."
            " Put right the token or the channel; `ops-platform alerts list` shows them.",
            is_old=False,
        )
    if facts.unsure and facts.unsure_since:
        yield Finding(
            What.UNSURE,
            f"Of {_alerts(facts.unsure)} of {facts.account} nobody knows whether they arrived,"
            f" of the oldest for {duration(now - facts.unsure_since)}."
            " `ops-platform alerts list` shows them.",
        )
    if facts.dead:
        yield Finding(
            What.DEAD,
            f"{_alerts(facts.dead)} of {facts.account} died within a day and will not be sent."
            " `ops-platform alerts dead` says why, `ops-platform alerts retry` tries again.",
        )


def done_within(limit: timedelta, interval: timedelta) -> timedelta:
    """Return how long ago something may have been done that is done each interval."""
    return max(limit, MISSED_INTERVALS * interval)


def judge_reconciliation(facts: Reconciliation, *, now: datetime) -> list[Finding]:
    """Judge whether the executions of an account's state machines are read."""
    if facts.behind and facts.oldest:
        behind = f"{facts.behind} of {counted(facts.machines, 'state machine', 'state machines')}"
        sentence = (
            f"What became of runs of {behind} in {facts.account} was not asked for"
            f" {duration(now - facts.oldest)}: what their events missed is missed."
            " Look at the reconciliation in Dagster, or run `ops-platform reconcile`."
        )
        return [Finding(What.BEHIND, sentence)]
    watched = facts.watched_since
    if facts.unread and watched is not None and now - watched >= FIRST_READING:
        unread = counted(facts.unread, "state machine", "state machines")
        sentence = (
            f"{unread} of {facts.account} could never be read to the end."
            " Look at the reconciliation in Dagster, or run `ops-platform reconcile`."
        )
        return [Finding(What.NEVER_READ, sentence, is_old=False)]
    return []


def judge_cleanup(facts: Cleanup, *, within: timedelta, now: datetime) -> list[Finding]:
    """Judge whether an account is searched for stale jobs."""
    since = facts.cleaned_at or facts.watched_since
    if since is None or now - since < within:
        return []
    sentence = (
        f"{facts.account} was not searched for stale jobs to the end for {duration(now - since)}:"
        " what blocks its queues stays there. Look at the runs of its stale_job_cleanup in Dagster,"
        " or run `ops-platform stale-jobs`."
    )
    return [Finding(What.UNCLEANED, sentence)]


def judge_parsing(rejected: int) -> list[Finding]:
    """Judge whether messages are understood, from how many were rejected within the hour."""
    if rejected < REJECTED_AT_LEAST:
        return []
    sentence = (
        f"{counted(rejected, 'message', 'messages')} of the last hour could not be understood."
        " The table rejected_messages holds them and why; AWS may have changed their shape."
    )
    return [Finding(What.REJECTED, sentence)]


def judge_automations(
    automations: Iterable[Automation], *, now: datetime, limit: timedelta
) -> list[Finding]:
    """Judge whether sensors and schedules tick, and whether their ticks succeed."""
    found = (_judge_automation(each, now, limit) for each in automations)
    return [finding for finding in found if finding is not None]


def _judge_automation(each: Automation, now: datetime, limit: timedelta) -> Finding | None:
    named = f"The {each.kind} {each.name}"
    silent = now - each.due_at
    since = duration(now - each.ticked_at) if each.ticked_at else None
    ticked = f"has not ticked for {since}" if since else "has never ticked"
    if silent >= limit and not each.is_on:
        sentence = f"{named} is turned off and {ticked}. Turn it on in Dagster."
        return Finding(What.TURNED_OFF, sentence, each.name)
    if silent >= limit:
        sentence = f"{named} {ticked}. Look at Dagster's daemons, and restart them."
        return Finding(What.SILENT, sentence, each.name)
    if each.failures and each.well_at is not None and now - each.well_at >= limit:
        failed = counted(each.failures, "tick", "ticks")
        sentence = (
            f"{named} fails, {failed} in a row for {duration(now - each.well_at)}:"
            f" {_short(each.error)}. Its ticks in Dagster tell more."
        )
        return Finding(What.FAILING, sentence, each.name)
    return None


def _alerts(number: int) -> str:
    return counted(number, "alert", "alerts")


def _short(text: str | None) -> str:
    line = next(iter((text or "").strip().splitlines()), "").rstrip(".")
    return (line if len(line) <= _ERROR_LIMIT else f"{line[: _ERROR_LIMIT - 1]}…") or "no reason"
