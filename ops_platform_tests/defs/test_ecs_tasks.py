"""A sandbox on ECS: tasks that run elsewhere, without a role, and what comes back of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ecs_sandbox import EcsSandbox
from ops_platform.defs.ecs_tasks import EcsTasks
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.sandboxes import Ended, Isolation, Limits, Outcome, Task
from ops_platform.embedded.aws.account import staging
from ops_platform.settings.accounts import Account
from ops_platform.settings.promotion import SandboxSettings
from ops_platform_tests.embedded.aws.accounts import free_port, running
from ops_platform_tests.fake_ecs import FakeEcs

SETTINGS = SandboxSettings(
    cluster="sandboxes",
    task_definition="ops-platform-sandbox",
    container="sandbox",
    subnets=("subnet-1",),
    security_groups=("sg-1",),
    bucket="sandboxes",
)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountClients]:
    """Give an account with S3."""
    account = staging(free_port())
    with running(account, tmp_path_factory.mktemp("account")):
        told = Account(
            name="staging", aws_account_id=account.account_id, region=account.region,
            endpoint_url=account.endpoint_url,
        )  # fmt: skip
        yield AccountClients(told)


class Sandboxes:
    """A sandbox on ECS, whose tasks an op asks for."""

    def __init__(self, clients: AccountClients, folder: Path) -> None:
        self.ecs = FakeEcs()
        self.bucket = f"sandboxes-{uuid4().hex[:8]}"
        self.environments = folder / "environments"
        self.folder = folder / "flow"
        self.folder.mkdir()
        self._s3 = clients.s3
        self._s3.create_bucket(Bucket=self.bucket)

    def run(self, program: str, *, readable: tuple[str, ...] = (), **limits: float) -> Outcome:
        """Run a program of Python's in an op of Dagster's."""
        (self.folder / "program.py").write_text(program)
        task = Task(
            command=(sys.executable, "-I", "program.py"),
            folder=str(self.folder),
            readable=(sys.prefix, sys.base_prefix, *readable),
            environment={"NAME": "told"},
            limits=Limits(**limits),  # type: ignore[arg-type]
        )
        found: list[Outcome] = []

        @dg.op(out=dg.Out(dg.Nothing))
        def check(context: dg.OpExecutionContext) -> None:
            tasks = EcsTasks(self.ecs, SETTINGS, context)  # type: ignore[arg-type]
            sandbox = EcsSandbox(self._s3, self.bucket, tasks.run, environments=self.environments)
            assert sandbox.isolation is Isolation.FULL
            found.append(sandbox.run(task))

        @dg.job
        def checks() -> None:
            check()

        checks.execute_in_process()
        return found[0]

    def left(self) -> list[str]:
        """Return the keys of what is left in the bucket."""
        found = self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [each["Key"] for each in found]


@pytest.fixture
def sandboxes(clients: AccountClients, tmp_path: Path) -> Sandboxes:
    """Give a sandbox with a bucket of its own."""
    return Sandboxes(clients, tmp_path)


def test_what_a_task_prints_comes_back(sandboxes: Sandboxes) -> None:
    """With its exit code; the folder is there, the environment as it was told, and no other."""
    program = (
        "import os, pathlib, sys\n"
        "print(pathlib.Path('program.py').exists(), os.environ['NAME'])\n"
        "print([name for name in os.environ if 'DAGSTER' in name or 'AWS_' in name])\n"
        "sys.exit(3)\n"
    )
    outcome = sandboxes.run(program)
    assert (outcome.ended, outcome.exit_code) == (Ended.EXITED, 3)
    assert outcome.stdout.splitlines() == [b"True told", b"['AWS_EC2_METADATA_DISABLED']"]
    assert sandboxes.left() == []


def test_the_container_is_given_no_credential(sandboxes: Sandboxes) -> None:
    """Neither by its environment nor by its command, but for addresses that are signed."""
    sandboxes.run("")
    (request,) = sandboxes.ecs.ran
    assert "taskRoleArn" not in request["overrides"]
    network = request["networkConfiguration"]["awsvpcConfiguration"]
    assert (network["subnets"], network["assignPublicIp"]) == (["subnet-1"], "DISABLED")
    (environment,) = sandboxes.ecs.environments
    assert all(name.startswith("DAGSTER_PIPES") for name in environment)


def test_an_environment_is_taken_along_once(sandboxes: Sandboxes) -> None:
    """The container has nothing but its image; its content is its name."""
    made = sandboxes.environments / "0123abcd"
    made.mkdir(parents=True)
    (made / "module.py").write_text("told = 'from the environment'\n")
    program = f"import sys; sys.path.insert(0, {str(made)!r})\nimport module; print(module.told)\n"
    first = sandboxes.run(program, readable=(str(made),))
    (made / "module.py").write_text("told = 'not taken along again'\n")
    (key,) = sandboxes.left()
    assert key.endswith("environments/0123abcd")
    assert first.stdout == b"from the environment\n"
    second = sandboxes.run(program, readable=(str(made),))
    assert second.stdout == b"from the environment\n"


def test_limits_hold_there_too(sandboxes: Sandboxes) -> None:
    """By the same means as on any machine."""
    outcome = sandboxes.run("import time; time.sleep(60)", seconds=1.0)
    assert (outcome.ended, outcome.exit_code) == (Ended.TIMED_OUT, None)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"role": "arn:aws:iam::111111111111:role/promoter"}, "has the role .*promoter"),
        ({"secrets": ("TOKEN",)}, "has secrets"),
        ({"has_capacity": False}, "Could not run the ECS task of a sandbox: ServerException"),
        ({"never_ends": True}, "Could not run the ECS task of a sandbox: WaiterError"),
        ({"fails": True}, "failed to start: CannotPullContainerError"),
    ],
)
def test_a_task_that_may_not_be_run_or_fails_is_told(
    sandboxes: Sandboxes, spoil: dict[str, object], said: str
) -> None:
    """And nothing is left of it."""
    for name, value in spoil.items():
        setattr(sandboxes.ecs, name, value)
    with pytest.raises(PlatformError, match=said):
        sandboxes.run("print('never')")
    assert sandboxes.left() == []


def test_a_task_that_leaves_nothing_is_told(sandboxes: Sandboxes) -> None:
    """As when it was stopped by somebody."""
    sandboxes.ecs.run_task = lambda **_: {"tasks": [sandboxes.ecs._task("PENDING")]}  # type: ignore[method-assign]
    with pytest.raises(PlatformError, match="ended without an outcome"):
        sandboxes.run("print('never')")
