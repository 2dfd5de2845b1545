"""Runs that come to an end, as the events that tell of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ops_platform.domain.events import Event, JobEvent
from ops_platform_tests.build import ACCOUNTS, REGION, a_job_event, an_execution_event

_NUMBERS = {name: number for number, name in ACCOUNTS.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of which so many jobs fail, each with that exit code, when it fails."""

    name: str
    account: str = "staging"
    flow: str = "TrainFlow"
    owner: str = "ada"
    jobs: int = 2
    exit_code: int = 1

    @property
    def arn(self) -> str:
        """The ARN of its execution."""
        return f"arn:aws:states:{REGION}:{self._number}:execution:{self.flow}:{self.name}"

    @property
    def machine_arn(self) -> str:
        """The ARN of its state machine."""
        return f"arn:aws:states:{REGION}:{self._number}:stateMachine:{self.flow}"

    @property
    def _number(self) -> str:
        return _NUMBERS[self.account]

    def ended(self, at: datetime, status: str) -> list[Event]:
        """Return what tells of its end: of the jobs that failed, and of the run."""
        jobs = range(self.jobs if status == "FAILED" else 0)
        return [*(self.failed_job(number, at) for number in jobs), self.execution(at, status)]

    def execution(self, at: datetime, status: str, **changes: Any) -> Event:
        """Return the event of its execution."""
        return an_execution_event(
            id=f"{self.arn}-{at:%d%H%M%S}-{status}",
            aws_account_id=self._number,
            execution_arn=self.arn,
            machine_arn=self.machine_arn,
            name=self.name,
            time=at,
            started_at=at - timedelta(minutes=10),
            stopped_at=at,
            status=status,
            **changes,
        )

    def failed_job(self, number: int, at: datetime, **changes: Any) -> JobEvent:
        """Return the event of one of its jobs that failed."""
        told: dict[str, Any] = {
            "id": f"{self.arn}-{at:%d%H%M%S}-job-{number}",
            "aws_account_id": self._number,
            "job_id": f"job-{self.account}-{self.flow}-{self.name}-{number:05}-{at:%d%H%M%S}",
            "run_id": f"sfn-{self.name}",
            "flow": self.flow,
            "owner": self.owner,
            "time": at,
            "status": "FAILED",
            "exit_code": self.exit_code,
            "stopped_at": at - timedelta(seconds=2),
        }
        return a_job_event(**(told | changes))
