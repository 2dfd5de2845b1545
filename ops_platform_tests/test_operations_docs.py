"""The runbook is held to the code: what can happen stands in it, and its commands can be typed."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import pytest

from ops_platform.adapters.slack_outcomes import _FAULTS
from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform.domain.alerts import Withhold
from ops_platform.domain.health import Check, What
from ops_platform.domain.incidents import Kind
from ops_platform.domain.incidents import State as IncidentState
from ops_platform.domain.outbox import State
from ops_platform.domain.reasons import Reason
from ops_platform.domain.telling import Why
from ops_platform_tests.build import ROUTING, after, an_incident
from ops_platform_tests.ledger_world import POLICY

_TEXT = (Path(__file__).parents[1] / "docs/operations.md").read_text()
_ROWS = {
    cell.strip().strip("`"): row
    for row in re.findall(r"^\|.+\|$", _TEXT, re.MULTILINE)
    for cell in row.split("|")[1].split("`, `")
}
_ERRORS = sorted({code for codes in _FAULTS.values() for code in codes})


def _commands() -> Iterator[str]:
    """Yield each command that is written out, in a line or a block; ``alerts retry`` is a name."""
    yield from re.findall(r"^ops-platform .+$", _TEXT, re.MULTILINE)
    inline = re.sub(r"^```.*?^```", "", _TEXT, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`(ops-platform [^`]+)`", inline.replace("\n", " "))


def _parsed(words: list[str]) -> click.Context:
    """Parse a command as the command line does, and run nothing."""
    command: click.Command = group_of(PROGRAM)
    context = click.Context(command, info_name=words[0])
    rest = words[1:]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    with command.make_context(command.name, rest, parent=context.parent) as made:
        return made


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_every_command_can_be_typed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With these very arguments."""
    monkeypatch.setenv("USER", "ana")

    assert _parsed(shlex.split(command)).command.callback is not None


def test_the_commands_are_found() -> None:
    """Else the test above would hold for none."""
    assert len(set(_commands())) > 15


@pytest.mark.parametrize(
    "word",
    [*Kind, *Reason, *State, *Why, *Check, *What],
    ids=lambda word: f"{type(word).__name__}-{word}",
)
def test_all_that_can_be_met_has_a_row(word: StrEnum) -> None:
    """A kind of alert, a reason, a state, why a message is due, what is wrong with the platform."""
    assert str(word) in _ROWS


@pytest.mark.parametrize(
    ("policy", "incident"),
    [
        ({"replayed": True}, {}),
        ({"known_accounts": frozenset()}, {}),
        ({"observed_accounts": frozenset({"production"})}, {}),
        (
            {"quiet_about_interactive": frozenset({"production"})},
            {"kind": Kind.INTERACTIVE_FAILED},
        ),
        ({"max_age": timedelta()}, {}),
        ({"not_before": after(7200)}, {}),
        ({"routing": replace(ROUTING, channels={})}, {}),
        ({}, {"state": IncidentState.RESOLVED}),
    ],
)
def test_why_nobody_is_told_has_a_row(policy: dict[str, Any], incident: dict[str, Any]) -> None:
    """In the very words that the outbox records."""
    verdict = replace(POLICY, **policy).decide(an_incident(**incident), after(3600))

    assert isinstance(verdict, Withhold)
    assert verdict.reason in _ROWS


@pytest.mark.parametrize("code", _ERRORS)
def test_what_slack_says_has_a_row(code: str) -> None:
    """Each error that the platform tells apart."""
    assert code in _ROWS


@pytest.mark.parametrize(
    "job", ["silence_alerts", "expire_silence", "retry_alerts", "resolve_incidents"]
)
def test_each_job_stands_beside_its_command(job: str) -> None:
    """What can be done here can be done there."""
    assert "`ops-platform " in _ROWS[job]


def test_links_within_the_page_lead_somewhere() -> None:
    """To a heading of it."""
    headings = re.findall(r"^#+ (.+)$", _TEXT, re.MULTILINE)
    places = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}

    assert set(re.findall(r"\(#([^)]+)\)", _TEXT)) <= places
