"""Flows deployed to a running edition, and triggered, with stock Metaflow."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ops_platform.embedded.aws.account import production, staging
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform_tests.embedded.aws.accounts import Aws, Json
from ops_platform_tests.embedded.flows.ground_truth import FAILED, Attempt, read
from ops_platform_tests.embedded.up_process import Up

FLOWS = Path(__file__).parent / "flows"
_ENDED = frozenset({"SUCCEEDED", "FAILED"})
T = TypeVar("T")


def awaited(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """Return what is looked for as soon as it is truthy; the looks leave the flows their cores."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(1)
    return found


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of the tests, the name of its state machine, and whose it is."""

    file: str
    machine: str
    owner: str
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its class."""
        return self.machine.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Truth:
    """How a run really ended: which of its jobs failed by themselves, which were cut off."""

    roots: frozenset[str]
    collateral: frozenset[str]


class DataScientist:
    """Somebody who deploys and runs flows in an account of a running edition."""

    def __init__(self, edition: Up, account: str) -> None:
        self.folder = edition.state / "aws"
        owner = production(_port(edition, "production"))
        self.account = owner if account == "production" else staging(_port(edition, "staging"))
        self._shared_s3 = None if account == "production" else owner.endpoint_url
        self.aws = Aws(self.account, self.folder)

    def python(self, flow: Flow, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the file of a flow."""
        settings = metaflow_environment(
            self.account, self.folder, user=flow.owner, shared_s3=self._shared_s3
        )
        return subprocess.run(
            [sys.executable, str(FLOWS / f"{flow.file}.py"), *flow.options, *arguments],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def deploy(self, flow: Flow) -> None:
        """Deploy a flow to Step Functions."""
        done = self.python(flow, "step-functions", "create")
        assert done.returncode == 0, done.stdout + done.stderr

    def trigger(self, flow: Flow, *parameters: str) -> str:
        """Start a run of a flow that is deployed; return its run id."""
        done = self.python(flow, "step-functions", "trigger", *parameters)
        started = re.search(r"run-id (sfn-[\w-]+)", done.stdout + done.stderr)
        assert started, done.stdout + done.stderr
        return started[1]

    def until_ended(self, flow: Flow, run_id: str) -> Json:
        """Wait until a run and all its jobs have ended; return the execution."""
        place = f"arn:aws:states:{self.account.region}:{self.account.account_id}:execution"
        arn = f"{place}:{flow.machine}:{run_id.removeprefix('sfn-')}"
        awaited(lambda: self._has_ended(arn), seconds=400, what=f"the end of {run_id}")
        return self.aws.execution(arn)

    def _has_ended(self, arn: str) -> bool:
        if self.aws.execution(arn)["status"] == "RUNNING":
            return False
        return all(job["status"] in _ENDED for job in self.aws.jobs_of(arn))

    def truth_of(self, execution: Json, witnesses: Path) -> Truth:
        """Return how a run ended, by what its tasks wrote down."""
        stop = execution["stopDate"].timestamp()
        jobs = self.aws.jobs_of(execution["executionArn"])
        failed = {str(job["jobId"]) for job in jobs if job["status"] == "FAILED"}
        roots = {
            each.job_id
            for each in _last_attempts(read(witnesses))
            if each.outcome == FAILED and each.at <= stop
        }
        assert roots <= failed
        return Truth(frozenset(roots), frozenset(failed - roots))


def _last_attempts(attempts: Iterable[Attempt]) -> Iterable[Attempt]:
    by_number = sorted(attempts, key=lambda each: each.attempt)
    return {each.job_id: each for each in by_number}.values()


def _port(edition: Up, account: str) -> int:
    accounts: Json = edition.addresses()["accounts"]
    return int(urlsplit(accounts[account]["endpoint_url"]).port or 0)
