"""Worlds for the contract of Batch's queues: the fake's, and that of an emulated account."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.batch_ports import InstanceTypes
from ops_platform_tests.adapters.batch_queues_contract import PARAMETERS
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.fake_queues import FakeQueues
from ops_platform_tests.fakes import FakeClock

# Of the emulated account: nothing that fits nothing there ever leaves its head.
_QUEUE, _OTHER_QUEUE = "stuck", "metaflow"
_TOO_LARGE = "999"
_TOKENS_LAST = 2.5


class FakeQueuesWorld:
    """The fake."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self._batch = FakeQueues(self._clock)
        self._batch.environment("slow-spot", max_vcpus=4)
        self.queue = self._batch.queue("slow", "slow-spot")
        self._batch.queue("flows")
        self._batch.submit("slow", vcpus=999)
        self.api = self._batch.batch()

    def now(self) -> datetime:
        """Tell the time by the fake's clock."""
        return self._clock()

    def submit(
        self, *, tags: Mapping[str, str] | None = None, depends_on: Sequence[str] = ()
    ) -> str:
        """Submit a job."""
        self._clock.advance(timedelta(seconds=1))
        return self._batch.submit(
            "slow", job_id=str(uuid4()), memory=512, tags=tags, depends_on=depends_on
        )

    def submit_array(self, size: int, *, depends_on: Sequence[str] = ()) -> str:
        """Submit an array."""
        return self._batch.submit_array(size, "slow", memory=512, depends_on=depends_on)

    def run(self) -> str:
        """Let a job run."""
        job_id = self._batch.submit("flows")
        self._batch.run(job_id)
        return job_id

    def let_tokens_expire(self) -> None:
        """Refuse the next page."""
        self._batch.api.expired_tokens = 1


class EmulatedQueuesWorld:
    """An emulated account, in which a job that fits nothing stands at the head of a queue."""

    def __init__(self, clients: AccountClients, types: InstanceTypes) -> None:
        self._batch = clients.batch
        self._submitted: list[str] = []
        self._definitions = {vcpus: self._definition(vcpus) for vcpus in ("1", _TOO_LARGE)}
        self.api = AwsBatchQueues(
            clients.batch,
            account=ACCOUNT,
            types=types,
            pacer=Pacer(sleep=lambda _: None),
        )
        self.queue = next(each.arn for each in self.api.queues() if each.name == _QUEUE)
        self._until(self._submit(_QUEUE, vcpus=_TOO_LARGE), "RUNNABLE")

    def now(self) -> datetime:
        """Tell the time by this machine's clock."""
        return datetime.now(UTC)

    def submit(
        self, *, tags: Mapping[str, str] | None = None, depends_on: Sequence[str] = ()
    ) -> str:
        """Submit a job."""
        job_id = self._submit(_QUEUE, tags=tags or {}, depends_on=depends_on)
        self._until(job_id, "PENDING" if depends_on else "RUNNABLE")
        return job_id

    def submit_array(self, size: int, *, depends_on: Sequence[str] = ()) -> str:
        """Submit an array."""
        parent = self._submit(_QUEUE, size=size, depends_on=depends_on)
        self._until(parent, "PENDING")
        self._until(f"{parent}:{size - 1}", "PENDING" if depends_on else "RUNNABLE")
        return parent

    def run(self) -> str:
        """Let a job run."""
        job_id = self._submit(_OTHER_QUEUE)
        self._until(job_id, "RUNNING")
        return job_id

    def let_tokens_expire(self) -> None:
        """Wait for as long as the account keeps them."""
        time.sleep(_TOKENS_LAST)

    def end_all(self) -> None:
        """End what was submitted, so that nobody else finds it."""
        for job_id in self._submitted:
            self._batch.terminate_job(jobId=job_id, reason="the test is over")
        for job_id in self._submitted:
            self._until(job_id, "SUCCEEDED", "FAILED")

    def _submit(
        self,
        queue: str,
        *,
        vcpus: str = "1",
        size: int = 0,
        tags: Mapping[str, str] | None = None,
        depends_on: Sequence[str] = (),
    ) -> str:
        array: dict[str, Any] = {"arrayProperties": {"size": size}} if size else {}
        submitted = self._batch.submit_job(
            jobName="contract",
            jobQueue=queue,
            jobDefinition=self._definitions[vcpus],
            parameters=PARAMETERS,
            tags=dict(tags or {}),
            dependsOn=[{"jobId": other} for other in depends_on],
            **array,
        )
        self._submitted.append(submitted["jobId"])
        return submitted["jobId"]

    def _definition(self, vcpus: str) -> str:
        return self._batch.register_job_definition(
            jobDefinitionName=f"contract-{uuid4().hex[:8]}",
            type="container",
            containerProperties={
                "image": "local",
                "command": ["sh", "-c", "sleep 60"],
                "resourceRequirements": [
                    {"type": "VCPU", "value": vcpus},
                    {"type": "MEMORY", "value": "512"},
                ],
            },
        )["jobDefinitionArn"]

    def _until(self, job_id: str, *statuses: str) -> None:
        _until(lambda: self._batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"] in statuses)


@contextmanager
def emulated_queues_world(
    clients: AccountClients, types: InstanceTypes
) -> Iterator[EmulatedQueuesWorld]:
    """Return the emulated account, and leave nothing in it."""
    world = EmulatedQueuesWorld(clients, types)
    try:
        yield world
    finally:
        world.end_all()


def _until(happened: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"It did not happen within {seconds} s."
        time.sleep(0.05)
