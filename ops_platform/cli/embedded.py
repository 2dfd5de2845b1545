"""``ops-platform embedded``: everything on this machine, for a look and for work without AWS."""

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ops_platform.embedded.ports import Ports
    from ops_platform.embedded.state_folder import StateFolder
    from ops_platform.embedded.supervisor import Stop
    from ops_platform.embedded.up import Edition

# What the edition consists of is imported where it is used: the help need not wait for it.
# ruff: noqa: PLC0415


@click.group()
def embedded() -> None:
    """Run everything on this machine: two emulated AWS accounts, Slack, Dagster, Postgres."""


_port = click.IntRange(0, 65_535)


@embedded.command()
@click.option("--demo", is_flag=True, help="Deploy and run four flows, two of which have trouble.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to keep everything in.  [default: $OPS_STATE_DIR or .ops-platform]",
)
@click.option(
    "--port-base",
    type=click.IntRange(0, 65_000),
    default=3000,
    show_default=True,
    help="Dagster listens here, Slack one above, AWS eleven and twelve above; 0: any free ports.",
)
@click.option("--dagster-port", type=_port, help="Another port for Dagster; 0: any free one.")
@click.option("--slack-port", type=_port, help="Another port for the Slack inbox.")
@click.option("--staging-port", type=_port, help="Another port for the AWS account staging.")
@click.option("--production-port", type=_port, help="Another port for the AWS account production.")
def up(*, demo: bool, state: Path | None, port_base: int, **ports: int | None) -> None:
    """Start it all, and run until ^C."""
    from ops_platform.embedded.ports import Ports
    from ops_platform.embedded.processes import ProgramError
    from ops_platform.embedded.state_folder import state_folder
    from ops_platform.embedded.supervisor import stop_on_signals

    chosen = {name.removesuffix("_port"): port for name, port in ports.items() if port is not None}
    folder = state_folder(state, os.environ)
    try:
        with stop_on_signals() as stop:
            _run(folder, Ports.from_base(port_base, **chosen), stop, demo=demo)
    except ProgramError as error:
        # Not the user's mistake: exit code 1, where those have 2.
        raise click.ClickException(str(error)) from error
    _say("Everything is stopped.")


def _run(state: "StateFolder", ports: "Ports", stop: "Stop", *, demo: bool) -> None:
    """Start the edition, and the demo in it, and stay."""
    from ops_platform.embedded.supervisor import watch
    from ops_platform.embedded.up import running_edition

    _say(f"The embedded edition in {state.root}")
    with running_edition(
        state,
        ports,
        prepare_ledger=_prepare_ledger,
        progress=_Terminal("starting", "ready   "),
        require_wanted=stop.require_none,
    ) as edition:
        try:
            _say(_addresses(edition))
            if demo:
                _demonstrate(edition)
            _say("Running. ^C stops everything; messages and history are kept.")
            watch(edition.programs)
        finally:
            _say("\nStopping ...")


class _Terminal:
    """Shows how it goes."""

    def __init__(self, beginning: str, done: str) -> None:
        self._beginning = beginning
        self._done = done

    def starting(self, names: Sequence[str]) -> None:
        """Show what is being waited for."""
        _say(f"  {self._beginning} {', '.join(names)}")

    def ready(self, name: str, seconds: float) -> None:
        """Show what is there."""
        _say(f"  {self._done} {seconds:5.1f} s  {name}")


def _say(text: str) -> None:
    """Write to the terminal, which may have been closed: that must not keep us from stopping."""
    with contextlib.suppress(OSError):
        click.echo(text)


def _prepare_ledger(url: str) -> None:
    """Close what the ledger holds open, but the last emulated AWS took with it."""
    from ops_platform.adapters.ledger.database import Ledger
    from ops_platform.clock import now
    from ops_platform.operations.close_lost import close_lost_executions
    from ops_platform.settings.edition import ACCOUNTS

    ledger = Ledger(url)
    try:
        lost = close_lost_executions(ledger, ACCOUNTS, now=now())
    finally:
        ledger.close()
    if lost:
        _say(f"  {lost} executions of the last time are closed as lost: their AWS is gone")


def _demonstrate(edition: "Edition") -> None:
    """Deploy and start the demo flows."""
    from ops_platform.embedded.demo.run import run_demo

    _say("Deploying and triggering the flows with stock Metaflow")
    run_demo(edition, _Terminal("deploying", "deployed "))
    _say(
        "\nThe flows run now. Within two minutes TrainDemandModels has failed, and one alert is\n"
        "in the Slack inbox, with the two tasks that failed by themselves in its thread; ten\n"
        "others were stopped with them. SimulateCity asks for 999 vCPUs, which no machine of its\n"
        "queue has; SurveyStreets comes behind it. Within two minutes the first is cancelled, the\n"
        "second runs, and the owner of the first is told why: ops-platform cancellations list\n"
    )


def _addresses(edition: "Edition") -> str:
    """Return where everything is, and how to go on."""
    staging, production = edition.accounts
    return (
        f"\n  Dagster          {edition.dagster_url}\n"
        f"  Slack inbox      {edition.slack_url}\n"
        f"  AWS staging      {staging.endpoint_url}\n"
        f"  AWS production   {production.endpoint_url}\n\n"
        f"{how_to_go_on(edition.state.root, search_path=os.environ.get('PATH'))}"
    )


def how_to_go_on(state: Path, *, search_path: str | None) -> str:
    """Return what to type in another terminal, which may not find this very command by itself."""
    programs = Path(sys.executable).parent
    found = shutil.which("ops-platform", path=search_path)
    return (
        "  In another terminal:\n"
        + ("" if found else f"    export PATH={shlex.quote(str(programs))}:$PATH\n")
        + f"    export OPS_STATE_DIR={shlex.quote(str(state))}\n"
        "    ops-platform incidents list\n"
        "    ops-platform jobs list --account staging\n"
    )
