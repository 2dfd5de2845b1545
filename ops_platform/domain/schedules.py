"""When EventBridge should have started a flow, and whether it did."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.cron import Cron, CronSyntaxError, parse_cron

_EXPRESSION = re.compile(r"(?P<kind>cron|rate)\((?P<inside>[^()]*)\)")
_RATE = re.compile(r"(?P<number>[1-9][0-9]{0,5}) (?P<unit>minute|hour|day)s?")
# EventBridge promises the minute, and its clock need not agree with that of Step Functions.
EARLY = timedelta(minutes=1)
COUNTED = 1000
"""No more missed starts than these are counted."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Due at an interval, from a moment that nobody tells."""

    every: timedelta


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An expression that we cannot read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Missed:
    """No run has started since ``expected``; ``starts`` is how many should have by now."""

    expected: datetime
    starts: int


class OnTime(StrEnum):
    """Why nothing was missed."""

    NOT_DUE = "nothing has been due since the schedule is watched"
    STARTED = "a run has started since it was due last"


def parse(expression: str) -> Cron | Rate | Unreadable:
    """Read a rule's ScheduleExpression."""
    match = _EXPRESSION.fullmatch(expression.strip())
    if match is None:
        return Unreadable("it is neither cron(…) nor rate(…)")
    if match["kind"] == "rate":
        return _parse_rate(match["inside"])
    try:
        return parse_cron(match["inside"])
    except CronSyntaxError as error:
        return Unreadable(str(error))


def _parse_rate(inside: str) -> Rate | Unreadable:
    match = _RATE.fullmatch(inside.strip())
    if match is None:
        return Unreadable("a rate is a number of minutes, hours or days")
    return Rate(timedelta(**{f"{match['unit']}s": int(match["number"])}))


def quiet_since(schedule: Cron | Rate, until: datetime) -> datetime | None:
    """Return from when on one start is enough for nothing to be missed; None if none was due."""
    if isinstance(schedule, Rate):
        return until - 2 * schedule.every
    due = schedule.last_due(until)
    return None if due is None else due - EARLY


def judge(
    schedule: Cron | Rate, *, since: datetime, last_start: datetime | None, until: datetime
) -> Missed | OnTime:
    """Return whether a start was missed that should have been by now.

    A run that somebody started by hand counts: the flow did run. So does a run that came late.

    Args:
        schedule: When runs should start.
        since: From when on the schedule has been watched; what was due before is not asked for.
        last_start: When the last run started, if any did that is known of.
        until: Up to when what was due is asked for: the time, less what a run may come late.
    """
    if isinstance(schedule, Rate):
        return _judge_rate(schedule.every, since=since, last_start=last_start, until=until)
    expected = schedule.last_due(until)
    if expected is None or expected <= since:
        return OnTime.NOT_DUE
    if last_start is not None and last_start >= expected - EARLY:
        return OnTime.STARTED
    served = since if last_start is None else max(since, last_start + EARLY)
    return Missed(expected, _count(schedule, after=served, last=expected))


def _count(cron: Cron, *, after: datetime, last: datetime) -> int:
    """Count the times an expression was due, from the last one backwards."""
    count, due = 0, cron.last_due(last)
    while due is not None and due > after and count < COUNTED:
        count += 1
        due = cron.last_due(due - timedelta(minutes=1))
    return count


def _judge_rate(
    every: timedelta, *, since: datetime, last_start: datetime | None, until: datetime
) -> Missed | OnTime:
    """Miss a start only after two intervals, since the phase of a rate is not known."""
    quiet = since if last_start is None else max(since, last_start)
    expected = quiet + 2 * every
    if expected <= until:
        return Missed(expected, min(COUNTED, (until - quiet) // every - 1))
    return OnTime.NOT_DUE if quiet == since else OnTime.STARTED
