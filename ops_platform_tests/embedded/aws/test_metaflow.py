"""Stock Metaflow deploys to the emulated accounts, and real flows run there."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_platform.embedded.aws.account import production
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform_tests.embedded.aws.accounts import (
    QUICK,
    Aws,
    Json,
    eventually,
    free_port,
    running,
    staging_on_free_port,
)

# On a busy machine, two tasks that fail together need a while to end.
TIMING = {**QUICK, "failure_reaction": 25}
FLOW = Path(__file__).parent / "flows" / "wide_flow.py"


class Deployed:
    """The flow in staging, with its data in production's bucket."""

    def __init__(self, aws: Aws, shared_s3: str) -> None:
        self.aws = aws
        settings = metaflow_environment(
            aws.account, aws.folder, user="ana", shared_s3=shared_s3, ui_url="http://ui.test"
        )
        self._environment = {**os.environ, **settings}

    def metaflow(self, *arguments: str) -> str:
        """Run a command of Metaflow."""
        line = [sys.executable, str(FLOW), "--production", "step-functions", *arguments]
        return self.python(*line[1:])

    def python(self, *arguments: str) -> str:
        """Run Python as a data scientist would."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_to_its_end(self, *parameters: str) -> Json:
        """Trigger the flow; return the execution when it has ended."""
        self.metaflow("trigger", *parameters)
        client = self.aws.client("stepfunctions")
        (machine,) = client.list_state_machines()["stateMachines"]
        assert machine["name"] == "demo.prod.WideFlow"
        listed = client.list_executions(stateMachineArn=machine["stateMachineArn"])
        return self.aws.until_ended(listed["executions"][0]["executionArn"], seconds=240)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Both accounts, and the flow deployed to staging."""
    folder = tmp_path_factory.mktemp("accounts")
    owner, account = production(free_port()), staging_on_free_port()
    with (
        running(owner, folder),
        running(account, folder, shared_s3=owner.endpoint_url, timing=TIMING),
    ):
        flow = Deployed(Aws(account, folder), owner.endpoint_url)
        flow.metaflow("create")
        yield flow


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_flow_runs_to_success(deployed: Deployed) -> None:
    """Foreach, join and @retry; Metaflow's client finds the run and its result."""
    execution = deployed.run_to_its_end("--width", "2")
    assert execution["status"] == "SUCCEEDED"
    jobs = deployed.aws.jobs_of(execution["executionArn"])
    steps = Counter(job["parameters"]["metaflow.step_name"] for job in jobs)
    assert steps == {"start": 1, "work": 2, "join": 1, "end": 1}
    (end,) = [job for job in jobs if job["parameters"]["metaflow.step_name"] == "end"]
    assert [attempt["container"]["exitCode"] for attempt in end["attempts"]] == [1, 0]
    assert end["parameters"]["metaflow.owner"] == "ana"
    assert end["tags"]["metaflow.flow_name"] == "WideFlow"
    assert any("the total is 2" in line for line in deployed.aws.log_of(end))

    ask = (
        "import metaflow; metaflow.namespace(None); "
        f"run = metaflow.Run('WideFlow/sfn-{execution['name']}'); "
        "print(run.successful, run.data.total)"
    )
    assert deployed.python("-c", ask).split() == ["True", "2"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_tasks_that_fail_together_take_the_other_ten_with_them(deployed: Deployed) -> None:
    """Two root failures by the time of the stop, ten that were aborted after it."""
    execution = deployed.run_to_its_end("--width", "12", "--failing", "2")
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    arn = execution["executionArn"]

    def work() -> list[Json]:
        return [job for job in deployed.aws.jobs_of(arn) if "--work--" in job["jobName"]]

    eventually(lambda: len(work()) == 12 and all("stoppedAt" in job for job in work()))
    stop = execution["stopDate"].timestamp() * 1000
    root = [job for job in work() if job["stoppedAt"] <= stop]
    assert [job["container"]["exitCode"] for job in root] == [1, 1]
    for job in root:
        assert any("is broken" in line for line in deployed.aws.log_of(job))
    assert all(job["isTerminated"] for job in work() if job not in root)


def test_the_settings_of_metaflow_name_the_account_and_its_datastore(tmp_path: Path) -> None:
    """The datastore is shared, all else is the account's own; the UI is left out if unknown."""
    account, owner = staging_on_free_port(), production(1)
    settings = metaflow_environment(
        account, tmp_path, user="ana", shared_s3=owner.endpoint_url, ui_url=None
    )
    assert settings["AWS_ENDPOINT_URL"] == account.endpoint_url
    assert settings["METAFLOW_S3_ENDPOINT_URL"] == owner.endpoint_url
    assert settings["METAFLOW_SFN_DYNAMO_DB_TABLE"] == "metaflow-staging"
    assert settings["METAFLOW_SFN_IAM_ROLE"].startswith("arn:aws:iam::111111111111:role/")
    assert "METAFLOW_UI_URL" not in settings
