"""The command ``ops-platform``: what it offers, said without loading any of it.

Neither click nor a command's module is imported for the overview, so that ``--help`` costs
little more than the start of Python.
"""

import os
import sys
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives, as ``module:attribute``, and what it does in one line."""

    target: str
    summary: str


COMMANDS = {
    "alerts": Command(
        "ops_platform.cli.alerts:alerts", "List, preview and retry messages to Slack."
    ),
    "cancellations": Command(
        "ops_platform.cli.cancellations:cancellations", "List what was done to stale jobs."
    ),
    "config": Command("ops_platform.cli.config:config", "Check and show the settings."),
    "deployments": Command(
        "ops_platform.cli.deployments:deployments", "List what was deployed to production."
    ),
    "embedded": Command("ops_platform.cli.embedded:embedded", "Run everything on this machine."),
    "events": Command("ops_platform.cli.events:events", "Feed events of AWS to the platform."),
    "executions": Command(
        "ops_platform.cli.executions:executions", "List runs of flows on Step Functions."
    ),
    "flows": Command("ops_platform.cli.flows:flows", "List flows and how they are doing."),
    "health": Command("ops_platform.cli.health:health", "Check that the platform does its work."),
    "incidents": Command(
        "ops_platform.cli.incidents:incidents", "List, show and resolve failed runs."
    ),
    "jobs": Command("ops_platform.cli.jobs:jobs", "List and explain jobs of AWS Batch."),
    "locks": Command("ops_platform.cli.locks:locks", "List and release the locks on flows."),
    "metrics": Command(
        "ops_platform.cli.metrics:metrics", "Show and compute metrics, by hour and day."
    ),
    "promotions": Command(
        "ops_platform.cli.promotions:promotions",
        "List and show what was promoted, on which evidence.",
    ),
    "reconcile": Command(
        "ops_platform.cli.reconcile:reconcile", "Find what the events of AWS missed."
    ),
    "silences": Command(
        "ops_platform.cli.silences:silences", "Mute incidents for a while, by name."
    ),
    "stale-jobs": Command(
        "ops_platform.cli.stale_jobs:stale_jobs",
        "Find jobs that can never start, and cancel them if told to.",
    ),
}

_ASKS_FOR_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"])


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] in _ASKS_FOR_HELP:
        _print(overview())
        return
    from ops_platform.cli.group import ops_platform  # noqa: PLC0415, the overview needs no click

    ops_platform(prog_name="ops-platform")


def _print(text: str) -> None:
    """Print as click does: a reader who has gone, as in ``| head``, is no error to explain."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def overview() -> str:
    """Return what ``ops-platform --help`` prints."""
    width = max(map(len, COMMANDS))
    commands = (f"  {name:<{width}}  {command.summary}\n" for name, command in COMMANDS.items())
    return (
        "Usage: ops-platform [OPTIONS] COMMAND [ARGS]...\n\n"
        "  Operate Metaflow on AWS Batch and Step Functions.\n\n"
        "  Without a settings file every command works on the embedded edition.\n\n"
        "Options:\n"
        "  --version   Show the version and exit.\n"
        "  -h, --help  Show this message and exit.\n\n"
        f"Commands:\n{''.join(commands)}"
    )
