"""A team with a repository, both accounts and Dagster between them: real git, real flows."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.deployed_machines import AwsDeployedMachines
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform.embedded.ports import Ports
from ops_platform.embedded.state_folder import StateFolder
from ops_platform.embedded.up import Edition, running_edition
from ops_platform.settings.accounts import Account
from ops_platform_tests.embedded.aws.accounts import Aws
from ops_platform_tests.embedded.dagster_graphql import EndedRun, GraphQL, launch, run_job, steps
from ops_platform_tests.embedded.promotion_location import VARIABLE
from ops_platform_tests.embedded.real_flows import awaited
from ops_platform_tests.embedded.up_process import left_over
from ops_platform_tests.fake_github import FakeGitHub, FakePull, serving
from ops_platform_tests.git_world import GitRepository
from ops_platform_tests.ledger_world import open_ledger

MACHINE, STAGED, PATH = "shop.prod.Forecast", "shop.test.by_region.Forecast", "flows/forecast.py"
BRANCH = "by_region"
FLOW = '''"""A flow of the shop's."""

from metaflow import FlowSpec, project, resources, schedule, step


@project(name="shop")
@schedule({schedule})
class Forecast(FlowSpec):
    """What will be sold."""

    @resources(memory={memory})
    @step
    def start(self) -> None:
        """Begin."""
        {start}
        self.next(self.end)

    @step
    def end(self) -> None:
        """End."""


if __name__ == "__main__":
    Forecast()
'''
WELL = {"schedule": "daily=True", "memory": "5000", "start": "self.sold = 1"}


class Nobody:
    """Is told how the edition starts."""

    def starting(self, names: object) -> None:
        """Be told."""

    def ready(self, name: str, seconds: float) -> None:
        """Be told."""


@dataclass
class Shop:
    """A team with one repository, both accounts, and Dagster between them."""

    edition: Edition
    repository: GitRepository
    github: FakeGitHub
    ledger: Ledger
    requests: int = 0

    @property
    def staging(self) -> Aws:
        """Staging."""
        return Aws(self.edition.accounts[0], self.edition.state.aws)

    @property
    def production(self) -> AwsDeployedMachines:
        """What runs in production."""
        account = self.edition.accounts[1]
        told = Account(
            name="production", aws_account_id=account.account_id, region=account.region,
            endpoint_url=account.endpoint_url,
        )  # fmt: skip
        return AwsDeployedMachines(
            AccountClients(told), region=account.region, aws_account_id=account.account_id
        )

    def push(self, **flow: str) -> str:
        """Push a version of the flow to pull request 12, approved by Grace."""
        text = FLOW.format(**{**WELL, **flow})
        commit = self.repository.commit({PATH: text}, pull_request=12)
        pull = self.github.open(FakePull(12, commit))
        pull.review("grace")
        return commit

    def run_in_staging(self) -> str:
        """Deploy what is checked out to Staging, run it there, and return how it ended."""
        self._flow("create")
        said = self._flow("trigger")
        started = re.search(r"run-id sfn-([\w-]+)", said)
        assert started, said
        account = self.edition.accounts[0]
        place = f"arn:aws:states:{account.region}:{account.account_id}:execution"
        arn = f"{place}:{STAGED}:{started[1]}"
        awaited(
            lambda: self.staging.execution(arn)["status"] != "RUNNING",
            seconds=120, what=f"the end of {arn}",
        )  # fmt: skip
        return str(self.staging.execution(arn)["status"])

    def deploy_by_hand(self) -> None:
        """Deploy what is checked out to production, as people did before there were gates."""
        self._flow("create", account=1, options=("--production",))

    def _flow(
        self, command: str, *, account: int = 0, options: tuple[str, ...] = ("--branch", BRANCH)
    ) -> str:
        settings = metaflow_environment(
            self.edition.accounts[account], self.edition.state.aws, user="ada",
            shared_s3=self.edition.shared_s3,
        )  # fmt: skip
        line = [sys.executable, PATH, *options, "step-functions", command]
        done = subprocess.run(
            line, cwd=self.repository.folder, env={**os.environ, **settings}, check=False,
            capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def check(self, commit: str) -> EndedRun:
        """Run the sanity checks, as CI does."""
        return run_job(self.api, "sanity_checks", candidate_of(commit))

    def promote(self, commit: str) -> EndedRun:
        """Promote, as CI does."""
        return self._asked("promote_flow", candidate_of(commit))

    def roll_back(self) -> EndedRun:
        """Roll back, as CI does."""
        pull = {"repository": "acme/flows", "pull_request": 12}
        return self._asked("roll_back_flow", {"machine": MACHINE, **pull})

    def killed_while(self, stage: str, commit: str) -> None:
        """Promote, and kill the run's process while it is at a stage."""
        run = launch(self.api, "promote_flow", self.order(candidate_of(commit)))
        deadline = time.monotonic() + 120
        while steps(self.api, run).get(stage) != "IN_PROGRESS":
            assert time.monotonic() < deadline, f"{stage} was never reached"
            time.sleep(0.1)
        pids = [
            int(each.split()[0])
            for each in left_over(self.edition.state.root)
            if "spawn_main" in each
        ]
        assert pids, "no run is at work"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    @property
    def api(self) -> GraphQL:
        """Dagster's API."""
        return GraphQL(self.edition.dagster_url)

    def _asked(self, job: str, config: dict[str, Any]) -> EndedRun:
        self.requests += 1
        return run_job(self.api, job, self.order(config))

    def order(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the config of a job, with who asks for it."""
        asked = {"actor": "ana", "reason": "productionize flow", "request": f"c{self.requests}"}
        return {**config, **asked}

    def again(self, commit: str) -> EndedRun:
        """Ask for the same promotion once more."""
        return run_job(self.api, "promote_flow", self.order(candidate_of(commit)))

    def runs(self) -> tuple[str, str | None]:
        """Return what runs in production: its memory, and its schedule if that is on."""
        machine, rule = self.production.machine(MACHINE), self.production.rule(MACHINE)
        assert machine is not None
        memory = "5000" if '"5000"' in machine.definition else "6000"
        return memory, rule.expression if rule and rule.enabled else None


def candidate_of(commit: str) -> dict[str, Any]:
    """Return how the flow at a commit is named."""
    pull = {"repository": "acme/flows", "pull_request": 12}
    return {**pull, "commit": commit, "flow_path": PATH}


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Start the edition with the repository to promote from, and end it."""
    repository = GitRepository(folder / "repository")
    github = FakeGitHub(permissions={"grace": "write"})
    with ExitStack() as stack:
        api = stack.enter_context(serving(github))
        isolation = "full" if os.geteuid() == 0 else "own code only"
        told = {"url": repository.url, "api_url": api, "isolation": isolation}
        named = {VARIABLE: json.dumps(told), "FAKE_GITHUB_TOKEN": "ghp_test"}
        stack.enter_context(_environment(named))
        edition = stack.enter_context(
            running_edition(
                StateFolder(folder / "state"),
                Ports(0, 0, 0, 0),
                prepare_ledger=_prepare,
                progress=Nobody(),
                require_wanted=lambda: None,
                definitions="ops_platform_tests.embedded.promotion_location",
            )
        )
        url = edition.environment["OPS_PLATFORM_DATABASE_URL"]
        ledger = stack.enter_context(open_ledger(url))
        yield Shop(edition, repository, github, ledger)


def _prepare(url: str) -> None:
    with open_ledger(url) as ledger, ledger.transaction():
        pass


@contextmanager
def _environment(named: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
