"""Stand-ins for AWS with the real thing's limits and errors.

State comes in by the constructor and effects are read back by properties. The contract suites in
`ops_platform_tests.adapters` hold them to the real adapters.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.job_log import BATCH_LOG_GROUP, LogAbsence, LogTail, newest
from ops_platform.domain.ports import Backlog, Machine, Message, ScheduleRule

MESSAGE_BYTES = 1_048_576
_BATCH = 10


class FakeClock:
    """A clock that stands still until it is told to advance."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """Return the time it shows."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by


@dataclass(slots=True)
class _Stored:
    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    handles: list[str] = field(default_factory=list)

    def receive(self, *, hidden_until: datetime) -> Message:
        self.visible_at = hidden_until
        self.handles.append(f"{self.message_id}/{len(self.handles) + 1}")
        return Message(
            message_id=self.message_id,
            receipt_handle=self.handles[-1],
            body=self.body,
            sent_at=self.sent_at,
        )


class FakeQueue:
    """A standard SQS queue with a dead-letter queue behind it; fulfils `EventQueue`.

    Args:
        bodies: What waits in the queue from the start.
        clock: Tells the time by which messages become visible again.
        visibility: How long a received message stays hidden.
        max_receive_count: After so many receives the next one moves it to the dead letters.
        refuse_delete: Messages whose deletion the queue reports as failed.
    """

    def __init__(
        self,
        bodies: Iterable[str] = (),
        *,
        clock: Callable[[], datetime],
        visibility: timedelta = timedelta(seconds=30),
        max_receive_count: int = 10,
        refuse_delete: Callable[[Message], bool] = lambda _: False,
    ) -> None:
        self._clock = clock
        self._visibility = visibility
        self._max_receive_count = max_receive_count
        self._refuse_delete = refuse_delete
        self._stored: dict[str, _Stored] = {}
        self._dead: list[_Stored] = []
        self._deleted: list[Message] = []
        self._handles: set[str] = set()
        self._sent = 0
        self.send(*bodies)

    def send(self, *bodies: str) -> None:
        """Put messages in, as EventBridge does."""
        for body in bodies:
            _check_body(body)
            self._sent += 1
            stored = _Stored(f"message-{self._sent}", body, self._clock(), self._clock())
            self._stored[stored.message_id] = stored

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Return up to ``limit`` visible messages, ten a call; without time only one call's."""
        taken = self._receive_call(min(limit, _BATCH))
        while taken and seconds > 0 and len(taken) < limit:
            more = self._receive_call(min(limit - len(taken), _BATCH))
            if not more:
                break
            taken += more
        return taken

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages; return those with an unknown handle and those told to be refused."""
        return [message for message in messages if not self._delete(message)]

    def backlog(self) -> Backlog:
        """Return what is waiting."""
        in_flight = sum(stored.visible_at > self._clock() for stored in self._stored.values())
        return Backlog(visible=len(self._stored) - in_flight, in_flight=in_flight)

    @property
    def bodies(self) -> tuple[str, ...]:
        """What is in the queue, hidden or not."""
        return tuple(stored.body for stored in self._stored.values())

    @property
    def deleted(self) -> tuple[Message, ...]:
        """What was deleted, in order."""
        return tuple(self._deleted)

    @property
    def dead_letters(self) -> tuple[str, ...]:
        """What was received too often."""
        return tuple(stored.body for stored in self._dead)

    def _receive_call(self, size: int) -> list[Message]:
        now = self._clock()
        taken: list[Message] = []
        for stored in list(self._stored.values()):
            if stored.visible_at > now:
                continue
            if len(stored.handles) >= self._max_receive_count:
                self._dead.append(self._stored.pop(stored.message_id))
                continue
            taken.append(stored.receive(hidden_until=now + self._visibility))
            self._handles.add(taken[-1].receipt_handle)
            if len(taken) == size:
                break
        return taken

    def _delete(self, message: Message) -> bool:
        if message.receipt_handle not in self._handles or self._refuse_delete(message):
            return False
        stored = self._stored.get(message.message_id)
        # A handle of an earlier receive is accepted, and then nothing is deleted.
        if stored and stored.handles[-1] == message.receipt_handle:
            del self._stored[message.message_id]
            self._deleted.append(message)
        return True


class FakeStateMachines:
    """The state machines of an account; fulfils `StateMachines`.

    Args:
        machines: What is deployed.
        forbidden: ARNs that AWS does not let us read.
    """

    def __init__(
        self, machines: Iterable[Machine] = (), *, forbidden: Collection[str] = ()
    ) -> None:
        self._machines = {machine.arn: machine for machine in machines}
        self._forbidden = forbidden
        self._described: list[str] = []

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
        self._described.append(arn)
        if arn in self._forbidden:
            raise AwsError(f"Could not read the state machine {arn}.", code="AccessDeniedException")
        return self._machines.get(arn)

    @property
    def described(self) -> tuple[str, ...]:
        """The ARNs that were asked for, in order."""
        return tuple(self._described)


class FakeSchedules:
    """The rules that start an account's state machines; fulfils `Schedules`.

    Args:
        rules: The rules by the ARN of the machine they start.
        forbidden: Machines whose rules AWS does not let us read.
    """

    def __init__(
        self, rules: Mapping[str, Sequence[ScheduleRule]], *, forbidden: Collection[str] = ()
    ) -> None:
        self._rules = rules
        self._forbidden = forbidden

    def rules(self, machine_arn: str) -> list[ScheduleRule]:
        """Return the rules that start a state machine by the clock, in the order of their ARNs."""
        if machine_arn in self._forbidden:
            raise AwsError(
                f"Could not list the rules that start {machine_arn}.", code="AccessDeniedException"
            )
        return sorted(self._rules.get(machine_arn, ()), key=lambda rule: rule.arn)


class FakeLogs:
    """The log streams of an account; fulfils `JobLogs`.

    Args:
        streams: Lines by the name of the stream.
        absent: Streams that cannot be read, and why.
        log_group: Where the streams are.
    """

    def __init__(
        self,
        streams: Mapping[str, Sequence[str]],
        *,
        absent: Mapping[str, LogAbsence] | None = None,
        log_group: str = BATCH_LOG_GROUP,
    ) -> None:
        self._streams = streams
        self._absent = absent or {}
        self._log_group = log_group

    def tail(
        self, *, stream: str, limit_lines: int, limit_bytes: int, log_group: str = BATCH_LOG_GROUP
    ) -> LogTail | LogAbsence:
        """Return the newest lines of a stream that fit the limits, or why there are none."""
        if stream in self._absent:
            return self._absent[stream]
        if log_group != self._log_group or stream not in self._streams:
            return LogAbsence.MISSING
        lines = self._streams[stream]
        if not lines:
            return LogAbsence.EMPTY
        return newest(lines, limit_lines=limit_lines, limit_bytes=limit_bytes)


def _check_body(body: str) -> None:
    """Refuse what SQS refuses: bodies too long, and characters that XML cannot carry."""
    if not 1 <= len(body.encode()) <= MESSAGE_BYTES:
        raise AwsError("A message has 1 to 1,048,576 bytes.", code="InvalidParameterValue")
    if any(ord(char) < 32 and char not in "\t\n\r" for char in body):
        raise AwsError("A message holds no control characters.", code="InvalidMessageContents")
