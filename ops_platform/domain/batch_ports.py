"""What the cleanup of stale jobs asks of Batch, EC2 and Step Functions, as small protocols."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ops_platform.domain.capacity import InstanceType, Position, Queue
from ops_platform.domain.waiting_jobs import WaitingJob


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job as it stands in the list of a queue's, which has neither owner nor parameters.

    ``cancelled`` says that somebody has asked for its end. ``array_size`` is that of an array's
    parent, which itself never becomes RUNNABLE.
    """

    id: str
    created_at: datetime | None
    cancelled: bool
    array_size: int | None
    status_reason: str | None
    share: str | None
    started_at: datetime | None = None


class BatchQueues(Protocol):
    """The Batch API of one account, as far as the cleanup needs it.

    Throttling slows every method and fails none; ``calls`` counts the requests by action.
    """

    @property
    def calls(self) -> Counter[str]:
        """The requests made so far, by AWS's name of the action."""
        ...

    def queues(self) -> list[Queue]:
        """Return the job queues with their compute environments.

        Raises:
            PlatformError: Batch cannot be asked.
        """
        ...

    def front(self, queue_arn: str) -> list[Position] | None:
        """Return the first RUNNABLE jobs of a queue in order; None if Batch does not say."""
        ...

    def runnable(self, queue_arn: str) -> Iterator[ListedJob]:
        """Yield the RUNNABLE jobs of a queue, those in arrays included, each once.

        It is read page by page; a listing whose page token has expired begins anew.
        """
        ...

    def started(self, queue_arn: str) -> Iterator[ListedJob]:
        """Yield the STARTING and RUNNING jobs of a queue, those in arrays included, each once."""
        ...

    def describe(self, job_ids: Sequence[str]) -> list[WaitingJob]:
        """Return jobs as they are now; those that Batch has forgotten are left out."""
        ...

    def cancel(self, job_id: str, reason: str) -> None:
        """Ask for the end of a job that has not started; ``CancelJob``, never ``TerminateJob``.

        It succeeds as well if the job has started or is over, and then changes nothing.

        Raises:
            PlatformError: Batch refuses, as when the permission is missing.
        """
        ...


class InstanceTypes(Protocol):
    """What EC2 offers in the account's region."""

    def all(self) -> Sequence[InstanceType]:
        """Return every instance type, by name; read once and kept."""
        ...


class RunStopper(Protocol):
    """Ends executions of Step Functions."""

    def stop(self, execution_arn: str, *, error: str, cause: str) -> bool:
        """Stop an execution; False if it is over or gone.

        Raises:
            PlatformError: Step Functions refuses.
        """
        ...
