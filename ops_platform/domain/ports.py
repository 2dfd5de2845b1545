"""What the operations ask of the world, as small protocols that adapters and fakes fulfil."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ops_platform.domain.delivery import Delivery, LookupUnavailable
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

    ``flow`` is None for a machine that Metaflow did not deploy.
    """

    arn: str
    flow: str | None
    owner: str | None


class StateMachines(Protocol):
    """The Step Functions API of one account, as far as we read it."""

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
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

    def find(
        self, *, channel: str, metadata_key: str, since: datetime
    ) -> str | LookupUnavailable | None:
        """Return the ``ts`` of the message with that key, None if it is not there."""
        ...

    def permalink(self, *, channel: str, ts: str) -> str | None:
        """Return the address of a message, None if nobody tells."""
        ...

    def lookup_user(self, email: str) -> str | LookupUnavailable | None:
        """Return the id of the active user with that e-mail address, if there is one."""
        ...
