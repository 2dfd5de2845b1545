"""What the commands have in common by which an operator steps in."""

import getpass
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import click

from ops_platform.cli.output import show_json
from ops_platform.operations.by_hand import Outcome


def _logged_in() -> str:
    """Return the name of whoever is logged in; nobody, if that has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # the latter before Python 3.13: an id that no name belongs to
        return ""


who_option = click.option(
    "--by",
    "--author",
    "who",
    default=_logged_in,
    help="Who says so, for others to read; by default whoever is logged in.",
)


def why_option(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the option to say why."""
    return click.option("--reason", "why", required=required, help="Why, for others to read.")


def show_outcomes(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print what came of each thing; the exit code is 1 if one of them was refused."""
    if as_json:
        show_json([asdict(outcome) for outcome in outcomes])
    for outcome in () if as_json else outcomes:
        sentence = f"{outcome.text[:1].upper()}{outcome.text[1:]}."
        click.echo(sentence if outcome.done else f"Error: {sentence}", err=not outcome.done)
    if not all(outcome.done for outcome in outcomes):
        click.get_current_context().exit(1)
