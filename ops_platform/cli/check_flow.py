"""``soteria check``: the sanity checks that a laptop can make, in seconds."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ops_platform.adapters.flow_compiler import FlowCompiler
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.cli.output import cell, json_option, show_json
from ops_platform.cli.progress import Progress
from ops_platform.domain.check_report import as_markdown, headline, mark, where
from ops_platform.domain.checks import LOADS
from ops_platform.domain.compiled_flow import Compilation
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding, Report, Verdict, as_document, worst_first
from ops_platform.operations.check_flow import FlowRules, check_flow
from ops_platform.settings.load import load

_EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNCHECKED: 2}


@click.command(short_help="Check a flow before anybody deploys it.")
@click.argument("flow", metavar="FLOW.py", type=click.Path(path_type=Path))
@click.option(
    "--python",
    metavar="PATH",
    help="The interpreter of the flow's environment; by default the active one's.",
)
@json_option
@click.option("--markdown", is_flag=True, help="Print the report as a pull request shows it.")
def check(*, flow: Path, python: str | None, as_json: bool, markdown: bool) -> None:
    """Check a flow: does it load, lint and compile for Step Functions, could its steps start?

    It needs neither a server nor credentials: the flow is compiled by the real Metaflow against a
    stand-in for AWS. The queues are those that [[promotion.queues]] describes, or the embedded
    edition's. It is imported, so check nobody's flow but your own.

    Exit code: 0 passed, 1 a check failed, 2 it could not be checked.
    """
    try:
        report = _checked(flow, python)
    except PlatformError as error:
        report = Report(None, (LOADS.unchecked("not-tried", str(error), fix=_TRY_AGAIN),))
    if as_json:
        show_json(as_document(report))
    elif markdown:
        click.echo(as_markdown(report))
    else:
        _show(report)
    sys.exit(_EXIT_CODES[report.verdict])


_TRY_AGAIN = "Put that right, then check it again."


def _checked(flow: Path, python: str | None) -> Report:
    if not flow.is_file():
        raise PlatformError(f"There is no file {flow}.")
    promotion = load(os.environ).promotion
    queues = {each.name: each.platform for each in promotion.queues}
    compilation = Compilation(
        folder=str(flow.resolve().parent),
        flow=flow.name,
        python=_interpreter(python),
        queues=queues or {"sandbox": "EC2"},
        seconds=promotion.check_seconds,
    )
    rules = FlowRules(
        conventions=promotion.names.conventions(),
        queues=[each.queue() for each in promotion.queues],
    )
    prefix = "" if str(flow.parent) == "." else str(flow.parent)
    with _progress():
        sandbox = LocalSandbox(isolated=False)
        return check_flow(FlowCompiler(sandbox), compilation, rules, prefix=prefix).report


def _interpreter(named: str | None) -> str:
    """Return the interpreter that runs flows here: the one named, or that of the active shell."""
    found = shutil.which(named or _active() or sys.executable)
    if found is None:
        raise PlatformError(f"There is no interpreter {named}.")
    return str(Path(found).absolute())


def _active() -> str | None:
    folder = os.environ.get("VIRTUAL_ENV")
    return str(Path(folder) / "bin" / "python") if folder else None


@contextmanager
def _progress() -> Iterator[None]:
    done = threading.Event()
    with Progress("checks") as progress:
        counter = threading.Thread(target=_count, args=(progress, done), daemon=True)
        counter.start()
        try:
            yield
        finally:
            done.set()
            counter.join()


def _count(progress: Progress, done: threading.Event) -> None:
    while not done.wait(0.5):
        progress.show(0)


def _show(report: Report) -> None:
    for each in worst_first(report.findings):
        click.echo(f"{mark(each)} {each.name:<12} {_message(each)}")
        if each.fix and not each.passed:
            click.echo(f"{'':<15} → {cell(each.fix, widest=None)}")
    click.echo(headline(report))


def _message(finding: Finding) -> str:
    place = where(finding)
    text = cell(finding.message, widest=None)
    return text if place is None else f"{place}: {text}"
