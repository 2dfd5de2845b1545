"""Emulated accounts for tests: started as processes, asked as a user of AWS asks."""

import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3

from ops_platform.embedded.aws.account import EmbeddedAccount, command, is_ready, staging

T = TypeVar("T")
Json = dict[str, Any]
QUICK: Mapping[str, float] = {
    "starting": 0.1,
    "instance_boot": 0.1,
    "instance_idle": 1.5,
    "blocked": 0.3,
    "kill_grace": 0.7,
    "reaction": 0.3,
    "failure_reaction": 0.6,
    "shortest_time_limit": 1,
    "page_token": 2,
}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], T], *, seconds: float = 15, what: str = "it") -> T:
    """Return what is looked for as soon as it is truthy."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)
    return found


class AccountNotReadyError(RuntimeError):
    """The emulated account ended, or did not answer in time."""


def wait_until_ready(
    account: EmbeddedAccount, process: "subprocess.Popen[bytes]", *, seconds: float = 60
) -> None:
    """Return once the account is provisioned and answers; raise if it cannot any more."""
    deadline = time.monotonic() + seconds
    while not is_ready(account):
        if process.poll() is not None:
            raise AccountNotReadyError(f"It ended with exit code {process.poll()}.")
        if time.monotonic() > deadline:
            raise AccountNotReadyError(f"It did not answer within {seconds:.0f} s.")
        time.sleep(0.1)


@contextmanager
def running(
    account: EmbeddedAccount,
    folder: Path,
    *,
    shared_s3: str | None = None,
    timing: Mapping[str, float] = QUICK,
    environment: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run an account while the block runs, with more in its environment if need be."""
    line = command(account, folder, shared_s3=shared_s3, parent=os.getpid(), timing=timing)
    process = subprocess.Popen(line, env={**os.environ, **(environment or {})})
    try:
        wait_until_ready(account, process)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


class Aws:
    """The clients of one account, and the little stories that tests tell with them."""

    def __init__(self, account: EmbeddedAccount, folder: Path) -> None:
        self.account = account
        self.folder = folder
        self._clients: dict[str, Any] = {}
        self._events: list[Json] = []
        self._jobs: list[str] = []

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account."""
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=self.account.endpoint_url,
                region_name=self.account.region,
                aws_access_key_id="embedded",
                aws_secret_access_key="embedded",
            )
        return self._clients[service]

    def definition(
        self, *command: str, vcpus: str = "1", gpus: str | None = None, **more: object
    ) -> str:
        """Register a job definition; return its ARN."""
        wanted = {"VCPU": vcpus, "MEMORY": "1024"} | ({"GPU": gpus} if gpus else {})
        registered = self.client("batch").register_job_definition(
            jobDefinitionName=f"test-{uuid.uuid4().hex[:8]}",
            type="container",
            containerProperties={
                "image": "local",
                "command": list(command),
                "resourceRequirements": [
                    {"type": kind, "value": value} for kind, value in wanted.items()
                ],
            },
            **more,
        )
        return str(registered["jobDefinitionArn"])

    def submit(
        self,
        script: str,
        *,
        vcpus: str = "1",
        gpus: str | None = None,
        queue: str = "metaflow",
        **more: object,
    ) -> str:
        """Submit a shell script as a job; return the job's id."""
        definition = self.definition("sh", "-c", script, vcpus=vcpus, gpus=gpus)
        submitted = self.client("batch").submit_job(
            jobName="test", jobQueue=queue, jobDefinition=definition, **more
        )
        self._jobs.append(submitted["jobId"])
        return str(submitted["jobId"])

    def job(self, job_id: str) -> Json:
        """Describe a job."""
        described: list[Json] = self.client("batch").describe_jobs(jobs=[job_id])["jobs"]
        return described[0]

    def until(self, job_id: str, *statuses: str, seconds: float = 15) -> Json:
        """Wait until the job is in one of the states; return it."""
        eventually(
            lambda: self.job(job_id)["status"] in statuses, seconds=seconds, what=str(statuses)
        )
        return self.job(job_id)

    def log_of(self, job: Json) -> list[str]:
        """Return the lines that a job logged."""
        stream = job["container"]["logStreamName"]
        events = self.client("logs").get_log_events(
            logGroupName="/aws/batch/job", logStreamName=stream, startFromHead=True
        )["events"]
        return [event["message"] for event in events]

    def events(self, *, resource: str = "") -> list[Json]:
        """Return every event so far in which a resource is named, as they came."""
        sqs = self.client("sqs")
        url = self.account.event_queue_url
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                self._events.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [e for e in self._events if any(resource in name for name in e["resources"])]

    def machine(self, definition: Json) -> str:
        """Create a state machine; return its ARN."""
        created = self.client("stepfunctions").create_state_machine(
            name=f"test-{uuid.uuid4().hex[:8]}",
            definition=json.dumps(definition),
            roleArn=self.account.role_arn(),
        )
        return str(created["stateMachineArn"])

    def start(self, definition: Json, **more: str) -> str:
        """Start an execution of a new state machine; return its ARN."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine(definition), **more
        )
        return str(started["executionArn"])

    def execution(self, arn: str) -> Json:
        """Describe an execution."""
        return dict(self.client("stepfunctions").describe_execution(executionArn=arn))

    def until_ended(self, arn: str, *, seconds: float = 30) -> Json:
        """Wait for the end of an execution; return it."""
        eventually(
            lambda: self.execution(arn)["status"] != "RUNNING", seconds=seconds, what="the end"
        )
        return self.execution(arn)

    def history(self, arn: str) -> list[Json]:
        """Return the whole history of an execution."""
        events = self.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
        return list(events)

    def jobs_of(self, arn: str) -> list[Json]:
        """Return the jobs that an execution submitted, by name, with their details."""
        submitted = [e for e in self.history(arn) if e["type"] == "TaskSubmitted"]
        ids = [json.loads(e["taskSubmittedEventDetails"]["output"])["JobId"] for e in submitted]
        jobs: list[Json] = self.client("batch").describe_jobs(jobs=ids)["jobs"] if ids else []
        return sorted(jobs, key=lambda job: str(job["jobName"]))

    def all_jobs(self) -> list[Json]:
        """Return every job of the queue that flows use."""
        everything = [{"name": "AFTER_CREATED_AT", "values": ["0"]}]
        listed = self.client("batch").list_jobs(jobQueue="metaflow", filters=everything)
        return list(listed["jobSummaryList"])

    def end_jobs(self) -> None:
        """Terminate what a test has left, so that the next one finds the account empty."""
        for job_id in self._jobs:
            self.client("batch").terminate_job(jobId=job_id, reason="the test is over")
        for job_id in self._jobs:
            self.until(job_id, "SUCCEEDED", "FAILED")
        self._jobs.clear()


def staging_on_free_port() -> EmbeddedAccount:
    """Return a staging account that is not running yet."""
    return staging(free_port())


def task(definition: str, name: str = "test", **more: object) -> Json:
    """Return a state that runs a job and waits for it, as Metaflow compiles them."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Parameters": {"JobName": name, "JobQueue": "metaflow", "JobDefinition": definition},
        "OutputPath": "$.['JobId', 'Parameters']",
        "Retry": [{"ErrorEquals": ["Batch.AWSBatchException"], "MaxAttempts": 10}],
        **more,
    }
