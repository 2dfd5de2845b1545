"""What the operations ask of the world, as small protocols that adapters and fakes fulfil."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ops_platform.domain.delivery import Delivery, LookupUnavailable, Sent
from ops_platform.domain.events import ExecutionEvent, JobEvent
from ops_platform.domain.execution_history import History
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.job_log import BATCH_LOG_GROUP, LogAbsence, LogTail


@dataclass(frozen=True, slots=True)
class Message:
    """One message received from a queue; it stays in the queue until it is deleted.

    ``body`` is the text as it came, not yet parsed. ``sent_at`` is when the queue took it.
    """

    message_id: str
    receipt_handle: str
    body: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits in a queue, as the queue estimates it."""

    visible: int
    in_flight: int


class EventQueue(Protocol):
    """A queue that EventBridge forwards an account's events into."""

    def receive(self, *, limit: int, seconds: float) -> list[Message]:
        """Return up to ``limit`` messages, giving up after ``seconds``; empty if none came."""
        ...

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages that are stored safely; return those the queue did not delete."""
        ...

    def backlog(self) -> Backlog:
        """Return the queue's estimate of what is waiting."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """What a state machine's definition says of itself.

    ``flow`` is None for a machine that Metaflow did not deploy. ``owner`` is whom the tag
    ``owner:…`` of its runs names, else who deployed it. ``revision`` is the last update's id.
    """

    arn: str
    flow: str | None
    owner: str | None
    revision: str | None = field(default=None, compare=False)


class StateMachines(Protocol):
    """The Step Functions API of one account, as far as we read it."""

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class ListedMachine:
    """A state machine as it stands in the list of an account's."""

    arn: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedExecution:
    """An execution as it stands in the list of its machine's."""

    arn: str
    status: str
    stopped_at: datetime | None


class Executions(StateMachines, Protocol):
    """The Step Functions API of one account, as far as it tells what became of executions.

    Its lists are a little behind, and are read page by page as they are iterated over.
    """

    def list_machines(self) -> Iterator[ListedMachine]:
        """Yield the standard state machines; express ones keep no list of executions."""
        ...

    def list_executions(
        self, machine_arn: str, *, status: str, since: datetime
    ) -> Iterator[ListedExecution]:
        """Yield a machine's ended executions of one status, the last stopped first.

        It ends before the first that stopped before ``since``, and at once if the machine is gone.
        """
        ...

    def describe_execution(self, arn: str) -> ExecutionEvent | None:
        """Return the execution as an event that says how it is now, or None if it is gone.

        The event's id is the same each time, until the execution changes.
        """
        ...


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """A rule of EventBridge that starts a state machine by the clock, unless it is disabled."""

    arn: str
    expression: str
    enabled: bool

    @property
    def name(self) -> str:
        """The rule's name."""
        return arn_tail(self.arn)


class Schedules(Protocol):
    """The EventBridge API of one account, as far as we read it."""

    def rules(self, machine_arn: str) -> list[ScheduleRule]:
        """Return the rules that start a state machine by the clock, in the order of their ARNs."""
        ...


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run of a state machine that started last; ``status`` is that of its execution."""

    run_id: str
    status: str
    started_at: datetime


class NoRun(StrEnum):
    """Why a state machine has no last run."""

    NEVER = "it has never run"
    GONE = "the state machine is gone"


class Starts(Protocol):
    """The Step Functions API of one account, as far as it tells when runs started."""

    def last_run(self, machine_arn: str) -> LastRun | NoRun:
        """Return the run of a machine that started last, whether or not it has ended."""
        ...


class BatchJobs(Protocol):
    """The jobs of one account's Batch."""

    def describe(self, job_ids: Sequence[str]) -> list[JobEvent]:
        """Return the jobs as they are now, as events; those that Batch has forgotten are left out.

        Raises:
            PlatformError: Batch cannot be asked.
        """
        ...


class ExecutionHistory(Protocol):
    """The histories of one account's executions."""

    def failures(self, execution_arn: str, *, seconds: float) -> History:
        """Return how an execution failed, as far as it can be read in the time.

        Raises:
            PlatformError: The history cannot be read.
        """
        ...


class JobLogs(Protocol):
    """The logs that the jobs of one account write."""

    def tail(
        self, *, stream: str, limit_lines: int, limit_bytes: int, log_group: str = BATCH_LOG_GROUP
    ) -> LogTail | LogAbsence:
        """Return the newest lines of a stream that fit the limits, or why there are none."""
        ...


class Notifier(Protocol):
    """Where alerts are told; every outcome is a value, none is raised."""

    def post(
        self,
        *,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        metadata_key: str,
        thread_ts: str | None = None,
    ) -> Delivery:
        """Post a message once; ``metadata_key`` is how ``find`` knows it again."""
        ...

    def update(
        self,
        *,
        channel: str,
        ts: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        metadata_key: str,
    ) -> Delivery:
        """Replace a message in place; ``channel`` is the id that ``post`` returned."""
        ...

    def find(
        self, *, channel: str, metadata_key: str, since: datetime, thread_ts: str | None = None
    ) -> Sent | LookupUnavailable | None:
        """Return where the message with that key stands, None if it is not there."""
        ...

    def permalink(self, *, channel: str, ts: str) -> str | LookupUnavailable | None:
        """Return the address of a message, None if there is none."""
        ...

    def lookup_user(self, email: str) -> str | LookupUnavailable | None:
        """Return the id of the active user with that e-mail address, if there is one."""
        ...
