"""The guide to history is held to the code: its commands can be typed, its numbers are true."""

import re
import shlex
from pathlib import Path

import pytest

from ops_platform.defs.history import CRON, KEY
from ops_platform.operations.import_events import HELD_FOR
from ops_platform.settings.metrics import MetricSettings
from ops_platform_tests.test_operations_docs import _parsed

_TEXT = (Path(__file__).parents[1] / "docs/history.md").read_text()
_COMMANDS = sorted(set(re.findall(r"(?:`|^    )(ops-platform [^`\n]+)", _TEXT, re.MULTILINE)))


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_can_be_typed(command: str) -> None:
    """With these very arguments."""
    assert _parsed(shlex.split(command)).command.callback is not None


def test_the_commands_are_found() -> None:
    """Else the test above would hold for none."""
    assert len(_COMMANDS) > 6


def test_its_numbers_are_true() -> None:
    """How long events are kept and imported days held, and when the asset is made."""
    minute, hour, *_ = CRON.split()

    assert f"`metrics.keep_events_days` ({MetricSettings().keep_events_days}) days" in _TEXT
    assert f"asset `{KEY.to_user_string()}` is made each night at {hour:0>2}:{minute} UTC" in _TEXT
    assert HELD_FOR.days == 7
    assert "**held for seven days**" in _TEXT
