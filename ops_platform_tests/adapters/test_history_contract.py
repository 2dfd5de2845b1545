"""The promises of a reader of histories, kept by the fake and by the adapter."""

from collections.abc import Mapping, Sequence

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.domain.execution_history import History
from ops_platform_tests.adapters import batch_worlds
from ops_platform_tests.adapters.history_contract import HistoryContract
from ops_platform_tests.adapters.test_batch_contract import ended_job
from ops_platform_tests.fake_batch import FakeHistories


class FakeHistoryWorld:
    """The fake, rebuilt with each execution."""

    def __init__(self) -> None:
        self._histories: dict[str, History] = {}

    @property
    def histories(self) -> FakeHistories:
        """The account's histories as the platform sees them."""
        return FakeHistories(self._histories)

    def run(self, exits: Sequence[int], *, parameters: Mapping[str, str]) -> str:
        """Take note of an execution that has ended."""
        own = {"metaflow.run_id": f"run-{len(self._histories)}"}
        ran = [
            ended_job(f"job-{at}", code, {**parameters, **own}, 1) for at, code in enumerate(exits)
        ]
        failed = tuple(job for job in ran if job.exit_code)
        ids = tuple(job.job_id for job in ran)
        return self._keep(History(failed, ids, error="States.TaskFailed" if failed else None))

    def run_without_definition(self) -> str:
        """Take note of an execution that submitted nothing."""
        cause = "JobDefinition contract does not exist"
        return self._keep(History(error="Batch.ClientException", cause=cause))

    def stop(self, *, error: str, cause: str) -> str:
        """Take note of an execution that was stopped."""
        return self._keep(History(job_ids=("job",), error=error, cause=cause))

    def _keep(self, history: History) -> str:
        arn = f"arn:aws:states:eu-west-1:123456789012:execution:m:run-{len(self._histories)}"
        self._histories[arn] = history
        return arn


class TestFakeHistories(HistoryContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeHistoryWorld:
        """Return a fresh fake."""
        return FakeHistoryWorld()


class TestEmulatedHistories(HistoryContract):
    """The real adapter, over HTTP, against an emulator that runs jobs."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> batch_worlds.HistoryWorld:
        """Return the emulator's account."""
        return batch_worlds.HistoryWorld(emulated)
