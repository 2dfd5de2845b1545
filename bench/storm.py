"""A thousand runs fail in one minute: how many messages that makes, and when there is quiet again.

The ledger and the HTTP to the Slack inbox are real, and the inbox keeps Slack's limits: a post a
second into a channel, after five at once. The sender works as its sensor does, every ten seconds.
Between two rounds nobody waits: the clock of sender and inbox skips to the next.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from slack_sdk import WebClient

from bench.database import Bench
from bench.ingest import ACCOUNTS, POLICY
from bench.load import REGION, Load, run_events
from bench.results import Result
from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import Event, ExecutionEvent, JobEvent
from ops_platform.domain.identity import Links
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform.operations.compose_alert import Composer
from ops_platform.operations.deliver_alerts import Sender
from ops_platform.operations.ingest_events import record_events

RUNS = 1000
_TICK = timedelta(seconds=10)
_LONG = timedelta(days=1)
_BUDGET_SECONDS = 30
_FIVE_MINUTES = timedelta(minutes=5)
_RULES = (
    BurstRule(By.FLOW, at_least=5, within=_FIVE_MINUTES),
    BurstRule(By.CAUSE, at_least=20, within=_FIVE_MINUTES),
)


class SkippingClock:
    """A clock that runs as time does, but can be put forward."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._started = time.monotonic()
        self._skipped = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._begin + self._skipped + timedelta(seconds=time.monotonic() - self._started)

    def skip_to(self, moment: datetime) -> None:
        """Put it forward, never back."""
        self._skipped += max(timedelta(), moment - self())


@dataclass(frozen=True, slots=True)
class _Storm:
    """What came of it."""

    messages: int
    replies: int
    calls: Counter[str]
    limited: int
    quiet_after: timedelta
    busy_seconds: float

    @property
    def measured(self) -> str:
        """Say it in a line."""
        calls = ", ".join(f"{count:,} {name}" for name, count in self.calls.most_common())
        return (
            f"{self.messages:,} messages, {self.replies:,} replies; calls: {calls}, of which "
            f"{self.limited:,} limited; quiet after {self.quiet_after.total_seconds():,.0f} s, "
            f"{self.busy_seconds:.0f} s of them at work"
        )


def storm_of_failures(bench: Bench) -> Iterator[Result]:
    """Measure runs of one flow, of many flows with one cause, and of many without a rule."""
    one = _weather(bench, lambda _: "TrainFlow", POLICY_WITH_BURSTS)
    yield Result(
        f"(b) {RUNS:,} runs of one flow fail in a minute", one.measured, "1 message",
        met=one.messages == 1,
    )  # fmt: skip
    many = _weather(bench, lambda number: f"Flow{number:04}", POLICY_WITH_BURSTS)
    yield Result(
        f"(b) {RUNS:,} flows fail of one cause in a minute", many.measured, "1 message",
        met=many.messages == 1,
    )  # fmt: skip
    alone = _weather(bench, lambda number: f"Flow{number:04}", POLICY)
    yield Result(
        f"(b) {RUNS:,} flows fail in a minute, told one by one", alone.measured,
        f"{RUNS:,} messages", met=alone.messages == RUNS,
    )  # fmt: skip


POLICY_WITH_BURSTS = replace(POLICY, bursts=_RULES)


def _weather(bench: Bench, flow: Callable[[int], str], policy: AlertPolicy) -> _Storm:
    template = list(map(parse, run_events(Load(width=1, failing=1))))
    job = next(e for e in template if isinstance(e, JobEvent) and e.status == "FAILED")
    execution = [e for e in template if isinstance(e, ExecutionEvent)][-1]
    clock = SkippingClock(execution.time)
    with (
        bench.ledger() as ledger,
        SlackInbox(channels=[channel("alerts")], clock=lambda: clock().timestamp()) as inbox,
    ):
        began = clock()
        told = [
            event
            for number in range(RUNS)
            for event in _failed(job, execution, number, flow(number))
        ]
        record_events(ledger, told, accounts=ACCOUNTS, policy=policy, now=began)
        return _until_quiet(ledger, inbox, clock, policy=policy, began=began)


def _failed(job: JobEvent, execution: ExecutionEvent, number: int, flow: str) -> list[Event]:
    """Return the events of one run: they come evenly over the minute."""
    at = execution.time - timedelta(seconds=60 * (1 - number / RUNS))
    place = f"{REGION}:222222222222"
    name = f"{number:08}-run"
    return [
        msgspec.structs.replace(
            job, id=f"job-{number}", time=at, stopped_at=at, job_id=f"job-{number}", flow=flow,
            run_id=f"sfn-{name}",
        ),
        msgspec.structs.replace(
            execution, id=f"execution-{number}", time=at, stopped_at=at, name=name,
            execution_arn=f"arn:aws:states:{place}:execution:{flow}:{name}",
            machine_arn=f"arn:aws:states:{place}:stateMachine:{flow}",
        ),
    ]  # fmt: skip


def _until_quiet(
    ledger: Ledger,
    inbox: SlackInbox,
    clock: SkippingClock,
    *,
    policy: AlertPolicy,
    began: datetime,
) -> _Storm:
    client = WebClient("xoxb-bench", base_url=inbox.api_url, retry_handlers=[])
    sender = Sender(
        ledger=ledger,
        notifier=SlackNotifier(client),
        composer=Composer({"production": Links(REGION)}, lambda _: "<@U0ADA00001>"),
        policy=policy,
        clock=clock,
        holder="bench",
    )
    busy, tick, quiet = 0.0, began, began
    while _is_waiting(ledger, clock() + _LONG):
        clock.skip_to(tick)
        tick = clock() + _TICK
        started = time.monotonic()
        if sender.deliver(seconds=_BUDGET_SECONDS):
            quiet = clock()
        busy += time.monotonic() - started
    calls = inbox.calls()
    if any(call.too_soon for call in calls):
        raise RuntimeError("Slack was asked before it wanted to be.")
    messages = inbox.messages("#alerts")
    replies = sum(message.is_reply for message in messages)
    return _Storm(
        messages=len(messages) - replies,
        replies=replies,
        calls=Counter(call.method for call in calls),
        limited=sum(call.outcome == "ratelimited" for call in calls),
        quiet_after=quiet - began,
        busy_seconds=busy,
    )


def _is_waiting(ledger: Ledger, until: datetime) -> bool:
    with ledger.transaction() as tx:
        return alerts.are_due(tx, until)
