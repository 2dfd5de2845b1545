"""Every metric counted anew from raw messages, by plain loops: what the rollups must agree with.

It is written from the descriptions of the metrics and from AWS's documents, and shares nothing with
the queries that compute the rollups: not the ledger, not the parser, not the arithmetic.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ops_platform.domain.prices import DEFAULT_PRICES, Price
from ops_platform_tests.recount_jobs import job_facts
from ops_platform_tests.recount_raw import millis, read
from ops_platform_tests.recount_runs import (
    ENDS,
    event_facts,
    execution_facts,
    instance_facts,
    places,
)
from ops_platform_tests.recount_ways import (
    Aged,
    Counted,
    Fact,
    Leveled,
    Part,
    Shared,
    Spread,
    Summed,
    Used,
    Way,
)

Row = dict[str, Any]
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
WAYS: dict[str, Way] = {
    "job_transitions": Counted("moved"),
    "jobs_submitted": Counted("submitted"),
    "job_retries": Counted("retried"),
    "jobs_failed": Counted("failed"),
    "jobs_cancelled": Counted("failed", mark="cancelled"),
    "jobs_terminated": Counted("failed", mark="terminated"),
    "jobs_cancelled_as_stale": Counted("failed", mark="stale"),
    "queue_blocks": Counted("blocked"),
    "job_submitted_to_runnable_ms": Spread("ready", "waited"),
    "job_submitted_to_starting_ms": Spread("placed", "since_submitted"),
    "attempt_runnable_to_starting_ms": Spread("placed", "waited"),
    "attempt_starting_to_running_ms": Spread("started", "waited"),
    "attempt_running_ms": Spread("attempt_ended", "running"),
    "attempt_ms": Spread("attempt_ended", "total"),
    "job_running_ms": Spread("ended", "running"),
    "job_ms": Spread("ended", "total"),
    "job_waiting_ms": Spread("ended", "waiting"),
    "job_wait_share": Shared(
        Part(Summed("ended", "waiting"), "sum"), Part(Summed("ended", "total"), "sum")
    ),
    "jobs_in_state": Leveled("state"),
    "oldest_runnable_ms": Aged("runnable"),
    "vcpus_reserved": Leveled("reserved", "vcpus"),
    "memory_reserved_mib": Leveled("reserved", "mib"),
    "vcpu_hours": Used("reserved", "vcpus"),
    "gib_hours": Used("reserved", "gib"),
    "cost_usd": Used("reserved", "usd"),
    "wasted_cost_usd": Summed("attempt_ended", "cost", mark="failed"),
    "executions": Counted("execution_moved"),
    "executions_running": Leveled("execution_running"),
    "execution_ms": Spread("execution_ended", "total"),
    "execution_success_rate": Shared(
        Part(Counted("execution_moved"), "count", "status", ("SUCCEEDED",)),
        Part(Counted("execution_moved"), "count", "status", ENDS),
    ),
    "execution_time_lost_ms": Summed("execution_ended", "total", mark="failed"),
    "instances_registered": Counted("registered"),
    "instances_deregistered": Counted("deregistered"),
    "instance_lifetime_ms": Spread("deregistered", "lifetime"),
    "instances_up": Leveled("up"),
    "instance_vcpus": Leveled("up", "vcpus"),
    "events_ingested": Counted("event"),
}
"""The metrics that raw events tell of; the others are of what the platform itself did."""


class Recount:
    """What a set of messages amounts to."""

    def __init__(
        self,
        bodies: Iterable[bytes],
        *,
        accounts: Mapping[str, str],
        now: datetime,
        prices: Sequence[Price] = DEFAULT_PRICES,
    ) -> None:
        whole = {(told.at, told.id): body for body in bodies for told in read([body], accounts)}
        told = read(whole.values(), accounts)
        self._now = millis(now)
        self._facts: list[Fact] = [
            *job_facts(told, places=places(told), prices=prices, bodies=whole),
            *execution_facts(told),
            *instance_facts(told),
            *event_facts(told),
        ]

    def rows(
        self,
        name: str,
        *,
        begin: datetime,
        end: datetime,
        by: Sequence[str] = (),
        where: Mapping[str, str] | None = None,
        daily: bool = False,
    ) -> list[Row]:
        """Return a metric's numbers for each hour, or day, and each group there is of a period."""
        groups = self._groups(name, by, where or {}, (millis(begin), millis(end)))
        step, label = (_DAY, "day") if daily else (_HOUR, "hour")
        return [
            {label: at.date() if daily else at, **dict(zip(by, group, strict=True)), **numbers}
            for at in _moments(begin, end, step)
            for group, facts in sorted(groups.items())
            for numbers in [self._numbers(name, facts, at, at + step)]
        ]

    def _numbers(self, name: str, facts: Sequence[Fact], begin: datetime, end: datetime) -> Row:
        until = min(millis(end), self._now)
        return dict(WAYS[name].numbers(facts, millis(begin), until))

    def _groups(
        self, name: str, by: Sequence[str], where: Mapping[str, str], period: tuple[int, int]
    ) -> dict[tuple[str, ...], list[Fact]]:
        found: dict[tuple[str, ...], list[Fact]] = {} if by else {(): []}
        for fact in WAYS[name].facts(self._facts):
            wanted = all(fact.dimensions.get(key, "") == value for key, value in where.items())
            if wanted and fact.within(period[0], min(period[1], self._now)):
                group = tuple(fact.dimensions.get(key, "") for key in by)
                found.setdefault(group, []).append(fact)
        return found


def _moments(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += step
