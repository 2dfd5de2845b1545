"""The page on stale jobs is held to the code: whatever can be met stands in it."""

import re
import shlex
from enum import StrEnum
from pathlib import Path

import click
import pytest

from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.causes import Cause
from ops_platform.domain.staleness import Why
from ops_platform.settings.stale_jobs import StaleJobSettings, StaleRule

_FOLDER = Path(__file__).parents[1] / "docs"
_TEXT = (_FOLDER / "stale-jobs.md").read_text()
_CELLS = {
    word.strip().strip("`").lower()
    for row in re.findall(r"^\|.+\|$", _TEXT, re.MULTILINE)
    for cell in row.split("|")[1:3]
    for word in (cell, *cell.split(", "))
}
_COMMANDS = sorted(set(re.findall(r"`(ops-platform [^`]+)`", _TEXT)))


@pytest.mark.parametrize(
    "word", [*Cause, *Why, *Outcome], ids=lambda word: f"{type(word).__name__}-{word}"
)
def test_all_that_can_be_met_has_a_row(word: StrEnum) -> None:
    """Each cause, each reason of a verdict, each outcome."""
    assert str(word).lower() in _CELLS


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_can_be_typed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With these very arguments."""
    monkeypatch.setenv("USER", "ana")
    found: click.Command = group_of(PROGRAM)
    context, rest = click.Context(found), shlex.split(command)[1:]
    while isinstance(found, click.Group):
        name, under, rest = found.resolve_command(context, rest)
        assert under is not None
        found, context = under, click.Context(under, info_name=name, parent=context)

    with found.make_context(found.name, rest, parent=context.parent) as made:
        assert made.command.callback is not None


def test_the_commands_are_found() -> None:
    """Else the test above would hold for none."""
    assert len(_COMMANDS) > 5


def test_the_settings_named_exist() -> None:
    """Under the names that the settings have; and the defaults are those of the settings."""
    known = {*StaleJobSettings.model_fields, *StaleRule.model_fields}
    named = set(re.findall(r"`(\w+_(?:minutes|age|jobs|runs|once))`", _TEXT))
    defaults = StaleJobSettings()

    assert named <= known
    assert f"`unfit_minutes`, {defaults.unfit_minutes}" in _TEXT
    assert f"`stuck_minutes`, {defaults.stuck_minutes}" in _TEXT


def test_links_lead_somewhere() -> None:
    """To a page beside this one, and a heading of it."""
    for page, place in re.findall(r"\]\(([\w-]+\.md)#([\w-]+)\)", _TEXT):
        headings = re.findall(r"^#+ (.+)$", (_FOLDER / page).read_text(), re.MULTILINE)
        places = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}
        assert place in places
