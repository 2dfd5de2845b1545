"""A program of commands: what it offers, said without loading any of it.

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


class Program(NamedTuple):
    """A program by its name, what it is for, and its commands."""

    name: str
    about: str
    commands: dict[str, Command]


_ASKS_FOR_HELP: tuple[list[str], ...] = ([], ["--help"], ["-h"])


def run(program: Program) -> None:
    """Run the command line."""
    if sys.argv[1:] in _ASKS_FOR_HELP:
        _print(overview(program))
        return
    from ops_platform.cli.group import group_of  # noqa: PLC0415, the overview needs no click

    group_of(program)(prog_name=program.name)


def overview(program: Program) -> str:
    """Return what ``--help`` prints."""
    width = max(map(len, program.commands))
    commands = (
        f"  {name:<{width}}  {command.summary}\n" for name, command in program.commands.items()
    )
    return (
        f"Usage: {program.name} [OPTIONS] COMMAND [ARGS]...\n\n"
        f"{program.about}\n"
        "Options:\n"
        "  --version   Show the version and exit.\n"
        "  -h, --help  Show this message and exit.\n\n"
        f"Commands:\n{''.join(commands)}"
    )


def _print(text: str) -> None:
    """Print as click does: a reader who has gone, as in ``| head``, is no error to explain."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
