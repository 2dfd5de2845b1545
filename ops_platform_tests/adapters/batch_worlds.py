"""Jobs and executions that run at an AWS endpoint, for the contract suites that need some."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch import AwsBatchJobs
from ops_platform.adapters.histories import StepFunctionsHistories

_QUEUE = "metaflow"
_ROLE = "arn:aws:iam::111111111111:role/contract"
_ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class BatchWorld:
    """An account's Batch, where shell scripts run as jobs."""

    def __init__(self, clients: AccountClients) -> None:
        self._batch = clients.batch
        self._definitions: list[str] = []
        self.jobs = AwsBatchJobs(clients.batch)

    def run(self, script: str, *, parameters: Mapping[str, str], attempts: int = 1) -> str:
        """Run a script as a job until it has ended; return the job's id."""
        job_id = self._batch.submit_job(
            jobName="contract",
            jobQueue=_QUEUE,
            jobDefinition=self.definition(script),
            parameters=dict(parameters),
            retryStrategy={"attempts": attempts},
        )["jobId"]
        _until(lambda: self._batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"] in _ENDED)
        return job_id

    def definition(self, script: str) -> str:
        """Return the ARN of a definition of jobs that run a script."""
        return self._batch.register_job_definition(
            jobDefinitionName=f"contract-{uuid4().hex[:8]}",
            type="container",
            containerProperties={
                "image": "local",
                "command": ["sh", "-c", script],
                "resourceRequirements": [
                    {"type": "VCPU", "value": "1"},
                    {"type": "MEMORY", "value": "512"},
                ],
            },
        )["jobDefinitionArn"]


class HistoryWorld:
    """An account's Step Functions, whose tasks are jobs."""

    def __init__(self, clients: AccountClients) -> None:
        self._client = clients.step_functions
        self._batch = BatchWorld(clients)
        self.histories = StepFunctionsHistories(clients.step_functions)

    def run(self, exits: Sequence[int], *, parameters: Mapping[str, str]) -> str:
        """Run an execution with a branch for each exit code until it has ended."""
        scripts = [f"sleep {at * 2}; exit {code}" for at, code in enumerate(exits)]
        return self.run_scripts(scripts, parameters=parameters)

    def run_scripts(self, scripts: Sequence[str], *, parameters: Mapping[str, str]) -> str:
        """Run an execution with a branch for each shell script until it has ended."""
        definitions = map(self._batch.definition, scripts)
        arn = self._start([_task(definition, parameters) for definition in definitions])
        self._until_ended(arn)
        return arn

    def run_without_definition(self) -> str:
        """Run an execution whose job cannot be submitted until it has ended."""
        gone = self._batch.definition("true").rsplit("/", 1)[0] + "/contract-no-such:1"
        arn = self._start([_task(gone, {})])
        self._until_ended(arn)
        return arn

    def stop(self, *, error: str, cause: str) -> str:
        """Start an execution, and stop it as a person does."""
        arn = self._start([_task(self._batch.definition("sleep 60"), {})])
        time.sleep(0.5)
        self._client.stop_execution(executionArn=arn, error=error, cause=cause)
        self._until_ended(arn)
        return arn

    def _start(self, tasks: Sequence[dict[str, Any]]) -> str:
        branches = [{"StartAt": "work", "States": {"work": task}} for task in tasks]
        split = {"Type": "Parallel", "Branches": branches, "End": True}
        machine = self._client.create_state_machine(
            name=f"contract-{uuid4().hex[:8]}",
            definition=json.dumps({"StartAt": "split", "States": {"split": split}}),
            roleArn=_ROLE,
        )
        started = self._client.start_execution(
            stateMachineArn=machine["stateMachineArn"], input='{"Parameters": "{}"}'
        )
        return started["executionArn"]

    def _until_ended(self, arn: str) -> None:
        _until(lambda: self._client.describe_execution(executionArn=arn)["status"] in _ENDED)


def _task(definition: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    own = {"metaflow.run_id.$": "$$.Execution.Name"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Parameters": {
            "JobName": "contract",
            "JobQueue": _QUEUE,
            "JobDefinition": definition,
            "Parameters": {**parameters, **own},
        },
        "End": True,
    }


def _until(happened: Callable[[], bool], *, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"It did not happen within {seconds} s."
        time.sleep(0.1)
