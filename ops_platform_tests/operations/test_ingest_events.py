"""From a queue into the ledger: stored first, then deleted."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.ports import Message
from ops_platform.operations.ingest_events import Ingested, Recorded, ingest
from ops_platform_tests.build import ACCOUNT, ACCOUNTS, ROUTING, after, bodies
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.fakes import FakeClock, FakeQueue
from ops_platform_tests.ledger_world import POLICY, alerts, contents

RUN = [message.decode() for message in bodies(a_failing_run())]


def _ingest(
    queue: FakeQueue, ledger: Ledger, clock: FakeClock, *, seconds: float = 20, batch: int = 5000
) -> Ingested:
    return ingest(
        queue,
        ledger,
        accounts=ACCOUNTS,
        policy=POLICY,
        clock=clock,
        seconds=seconds,
        batch=batch,
    )


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still."""
    return FakeClock()


@pytest.mark.parametrize("batch", [1, 10, 12, 5000])
def test_a_queue_is_emptied_into_the_ledger(ledger: Ledger, clock: FakeClock, batch: int) -> None:
    """Every message is stored and deleted, however many are taken at a time."""
    queue = FakeQueue(RUN, clock=clock)

    done = _ingest(queue, ledger, clock, batch=batch)

    assert (done.recorded.new, done.undeleted) == (len(RUN), 0)
    assert queue.bodies == ()
    assert len(queue.deleted) == len(RUN) == len(contents(ledger)["events"])


def test_an_empty_queue_is_nothing_to_do(ledger: Ledger, clock: FakeClock) -> None:
    """Nothing is read, nothing is written."""
    assert _ingest(FakeQueue(clock=clock), ledger, clock) == Ingested(Recorded(), undeleted=0)


def test_bad_messages_are_deleted_once_they_are_kept(ledger: Ledger, clock: FakeClock) -> None:
    """They must not come round until they are dead letters."""
    queue = FakeQueue(["not JSON", *RUN], clock=clock)

    done = _ingest(queue, ledger, clock)

    assert (done.recorded.rejected, done.recorded.new) == (1, len(RUN))
    assert queue.bodies == ()


class OddQueue(FakeQueue):
    """A queue whose one message is no proper text."""

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Return half of a surrogate pair, once."""
        taken = super().receive(limit=limit, seconds=seconds)
        return [dataclasses.replace(message, body="\ud800") for message in taken]


def test_a_body_that_is_no_proper_text_is_kept_too(ledger: Ledger, clock: FakeClock) -> None:
    """A lone surrogate passes through JSON, and so through an SQS client, into a text."""
    done = _ingest(OddQueue(["x"], clock=clock), ledger, clock)

    assert done.recorded.rejected == 1


class LedgerThatCannotCommit(Ledger):
    """A ledger whose database goes away as a transaction ends."""

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Do everything but commit."""
        with super().transaction() as tx:
            yield tx
            raise sa.exc.OperationalError("COMMIT", None, Exception("the server is gone"))


def test_nothing_is_deleted_that_was_not_committed(
    ledger_url: str, ledger: Ledger, clock: FakeClock
) -> None:
    """The error comes up, all messages stay, and the next round takes them."""
    queue = FakeQueue(RUN, clock=clock)
    broken = LedgerThatCannotCommit(ledger_url)
    with pytest.raises(sa.exc.OperationalError, match="server is gone"):
        _ingest(queue, broken, clock)
    broken.close()
    assert queue.deleted == ()
    assert contents(ledger)["events"] == []

    clock.advance(timedelta(minutes=1))
    done = _ingest(queue, ledger, clock)

    assert done.recorded.new == len(RUN)


def test_what_could_not_be_deleted_comes_again_as_a_duplicate(
    ledger: Ledger, clock: FakeClock
) -> None:
    """It is reported, and the second time changes nothing."""
    refused: list[Message] = []

    def refuse(message: Message) -> bool:
        if len(refused) >= 3:
            return False
        refused.append(message)
        return True

    queue = FakeQueue(RUN, clock=clock, refuse_delete=refuse)
    first = _ingest(queue, ledger, clock)
    before = contents(ledger)
    clock.advance(timedelta(minutes=1))
    second = _ingest(queue, ledger, clock)

    assert first.undeleted == 3
    assert second == Ingested(Recorded(read=3, duplicates=3), undeleted=0)
    assert contents(ledger) == before
    assert queue.bodies == ()


class SlowQueue(FakeQueue):
    """A queue that never runs dry, at which every receive takes two seconds."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self._tick = clock
        self.asked: list[float] = []

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Take time, and return one message."""
        self.asked.append(seconds)
        self._tick.advance(timedelta(seconds=2))
        self.send(f"message {len(self.asked)}")
        return super().receive(limit=limit, seconds=seconds)


def test_a_round_ends_when_its_time_is_up(ledger: Ledger, clock: FakeClock) -> None:
    """Each receive is told how much time is left, and what came by then is stored and deleted."""
    queue = SlowQueue(clock)

    done = _ingest(queue, ledger, clock, seconds=5)

    assert queue.asked == pytest.approx([5, 3, 1])
    assert done.recorded.read == len(queue.deleted) == 3


@pytest.mark.parametrize("seconds", [0, -1])
def test_without_time_nothing_is_received(ledger: Ledger, clock: FakeClock, seconds: float) -> None:
    """What is not received does not become invisible to others."""
    queue = FakeQueue(RUN, clock=clock)

    assert _ingest(queue, ledger, clock, seconds=seconds).recorded.read == 0
    assert queue.backlog().visible == len(RUN)


def _alerts(ledger: Ledger, policy: AlertPolicy, clock: FakeClock) -> list[tuple[str, str | None]]:
    queue = FakeQueue(RUN, clock=clock)
    ingest(queue, ledger, accounts=ACCOUNTS, policy=policy, clock=clock, seconds=20)
    return [(alert["state"], alert["reason"]) for alert in alerts(ledger)]


@pytest.mark.parametrize(
    ("policy", "days", "expected"),
    [
        (POLICY, 0, ("pending", None)),
        (POLICY, 2, ("withheld", "ended too long ago")),
        (
            AlertPolicy(
                POLICY.settle, POLICY.max_age, ROUTING, observed_accounts=frozenset({ACCOUNT})
            ),
            0,
            ("withheld", "account is observed only"),
        ),
        (
            AlertPolicy(POLICY.settle, POLICY.max_age, ROUTING, replayed=True),
            0,
            ("withheld", "replayed"),
        ),
    ],
    ids=["alert", "too old", "observe", "replay"],
)
def test_a_failed_run_is_alerted_once_or_the_reason_why_not_is_kept(
    ledger: Ledger, policy: AlertPolicy, days: int, expected: tuple[str, str | None]
) -> None:
    """And whatever the policy is when its events come again, that stays."""
    clock = FakeClock(after(120) + timedelta(days=days))

    assert _alerts(ledger, policy, clock) == [expected]
    assert _alerts(ledger, POLICY, clock) == [expected]
