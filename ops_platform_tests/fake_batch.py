"""Stand-ins for Batch and for the histories of Step Functions, with the real thing's errors.

The contract suites in `ops_platform_tests.adapters` hold them to the real adapters.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.events import JobEvent
from ops_platform.domain.execution_history import History


class FakeBatchJobs:
    """The jobs of an account; fulfils `BatchJobs`.

    Args:
        jobs: The jobs that Batch has not forgotten yet, as they are now.
        forbidden: Whether AWS lets us describe none.
    """

    def __init__(self, jobs: Iterable[JobEvent] = (), *, forbidden: bool = False) -> None:
        self._jobs = {job.job_id: job for job in jobs}
        self._forbidden = forbidden
        self._described: list[str] = []

    def describe(self, job_ids: Sequence[str]) -> list[JobEvent]:
        """Return the jobs that are known, each once."""
        self._described += job_ids
        if self._forbidden and job_ids:
            raise AwsError("Could not describe jobs.", code="AccessDeniedException")
        return [self._jobs[job_id] for job_id in dict.fromkeys(job_ids) if job_id in self._jobs]

    @property
    def described(self) -> tuple[str, ...]:
        """The ids that were asked for, in order."""
        return tuple(self._described)


class FakeHistories:
    """The histories of executions; fulfils `ExecutionHistory`.

    Args:
        histories: What they tell, by the execution's ARN.
        forbidden: ARNs whose history AWS does not let us read.
    """

    def __init__(
        self,
        histories: Mapping[str, History] | None = None,
        *,
        forbidden: Collection[str] = (),
    ) -> None:
        self._histories = histories or {}
        self._forbidden = forbidden
        self._read: list[str] = []

    def failures(self, execution_arn: str, *, seconds: float) -> History:
        """Return how an execution failed; with no time at all, nothing of it."""
        self._read.append(execution_arn)
        if execution_arn in self._forbidden:
            raise AwsError(
                f"Could not read the history of the execution {execution_arn}.",
                code="AccessDeniedException",
            )
        if seconds <= 0:
            return History(truncated=True)
        return self._histories.get(execution_arn, History(gone=True))

    @property
    def read(self) -> tuple[str, ...]:
        """The ARNs that were asked for, in order."""
        return tuple(self._read)
