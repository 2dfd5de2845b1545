"""The code location's sensors, ticked one by one on real resources."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.definitions import compose
from ops_platform.defs.resources import Slack
from ops_platform.domain.events import Event
from ops_platform.domain.ports import ScheduleRule
from ops_platform.operations.clean_account import Tools
from ops_platform.settings.load import load
from ops_platform.settings.model import Settings
from ops_platform_tests.build import ACCOUNTS, bodies
from ops_platform_tests.fake_batch import FakeBatchJobs, FakeHistories
from ops_platform_tests.fake_queues import FakeQueues, FakeRunStopper
from ops_platform_tests.fake_states import FakeStepFunctions
from ops_platform_tests.fakes import (
    FakeClock,
    FakeLogs,
    FakeQueue,
    FakeSchedules,
    FakeStateMachines,
)

Rules = dict[str, list[ScheduleRule]]
AssetEvent = dg.AssetObservation | dg.AssetMaterialization | dg.AssetCheckEvaluation

SETTINGS = """
[slack]
base_url = "http://127.0.0.1:1/"
owners.ada = "U0ADA00001"

[timing]
settle_seconds = 0

[accounts.staging]
aws_account_id = "111111111111"
region = "eu-west-1"
event_queue_url = "https://sqs.eu-west-1.amazonaws.com/111111111111/events"
alerts = "send"
slack_channel = "#alerts-staging"
metaflow.ui_url = "https://metaflow.example.com"

[accounts.production]
aws_account_id = "222222222222"
region = "eu-west-1"
event_queue_url = "https://sqs.eu-west-1.amazonaws.com/222222222222/events"
alerts = "send"
slack_channel = "#alerts-production"
"""
STAGED = SETTINGS.replace("[accounts.staging]\n", '[accounts.staging]\nstage = "staging"\n')
"""The same, with an account to prove flows in and one to promote them to."""
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


def settings_in(folder: Path, text: str = SETTINGS, *, database_url: str = NO_DATABASE) -> Settings:
    """Return the settings of a file with that text."""
    (folder / "ops_platform.toml").write_text(text)
    return load({"OPS_PLATFORM_DATABASE_URL": database_url}, cwd=folder)


class FakeAccounts:
    """The queue, the state machines and the executions of each account."""

    def __init__(self, machines: FakeStateMachines | None = None) -> None:
        self._queues = {name: FakeQueue(clock=now) for name in ACCOUNTS.values()}
        self._machines = machines or FakeStateMachines([])
        self.step_functions = FakeStepFunctions(clock=now)
        self.rules: Rules = {}
        self.job_logs = FakeLogs({})
        # The jobs of a test are submitted three hours ago.
        self.job_queues = FakeQueues(FakeClock(now() - timedelta(hours=3)))

    def stale_job_tools(self, name: str, ledger: Ledger) -> Tools:
        """Return what an account is cleaned with; both have the same queues."""
        self.job_queues.account = name
        types, runs = self.job_queues.types, FakeRunStopper()
        return Tools(ledger=ledger, queues=self.job_queues.batch(), types=types, runs=runs)

    def queue(self, name: str) -> FakeQueue:
        """Return the account's queue."""
        return self._queues[name]

    def machines(self, name: str) -> FakeStateMachines:  # noqa: ARG002, as the real one
        """Return the state machines, the same for both accounts."""
        return self._machines

    def executions(self, name: str) -> FakeStepFunctions:  # noqa: ARG002, as the real one
        """Return Step Functions, the same for both accounts."""
        return self.step_functions

    def starts(self, name: str) -> FakeStepFunctions:
        """Return Step Functions as it tells of starts."""
        return self.executions(name)

    def schedules(self, name: str) -> FakeSchedules:  # noqa: ARG002, as the real one
        """Return the rules that start state machines, the same for both accounts."""
        return FakeSchedules(self.rules)

    def batch_jobs(self, name: str) -> FakeBatchJobs:  # noqa: ARG002, as the real one
        """Return Batch, which has forgotten every job."""
        return FakeBatchJobs()

    def histories(self, name: str) -> FakeHistories:  # noqa: ARG002, as the real one
        """Return the histories of executions, none of which is left."""
        return FakeHistories()

    def logs(self, name: str) -> FakeLogs:  # noqa: ARG002, as the real one
        """Return the logs, the same for both accounts."""
        return self.job_logs

    def send(self, account: str, *events: Event) -> None:
        """Forward events into the queue of an account."""
        self._queues[account].send(*(body.decode() for body in bodies(events)))


@dataclass
class Dagster:
    """The sensors of the code location, each with the cursor of its last tick."""

    settings: Settings
    ledger: Ledger
    slack_url: str = "http://127.0.0.1:1/"
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    cursors: dict[str, str | None] = field(default_factory=dict)

    def tick(self, sensor: str) -> SensorExecutionData:
        """Evaluate a sensor once, as the daemon does, and keep its cursor."""
        slack = Slack(token="xoxb-test", base_url=self.slack_url)
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(
                instance=instance,
                cursor=self.cursors.get(sensor),
                resources={"ledger": self.ledger, "accounts": self.accounts, "slack": slack},
            ) as context,
        ):
            ticked = compose(self.settings).resolve_sensor_def(sensor).evaluate_tick(context)
        self.cursors[sensor] = ticked.cursor or self.cursors.get(sensor)
        assert not ticked.run_requests, "a run would cost a container"
        return ticked


def metadata(event: AssetEvent) -> dict[str, object]:
    """Return the metadata of an event as plain values."""
    return {name: value.value for name, value in event.metadata.items()}


def observations(done: dg.ExecuteInProcessResult) -> list[dg.AssetObservation]:
    """Return the observations of a run, by the names of their assets."""
    events = [event for event in done.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    found = [event.asset_observation_data.asset_observation for event in events]
    return sorted(found, key=lambda each: each.asset_key.to_user_string())
