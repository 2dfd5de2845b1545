"""What is said in the thread: it calls the owner whenever something is broken."""

import re
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.alert_message import render_plain
from ops_platform.domain.incidents import State
from ops_platform.domain.notes import render_note
from ops_platform.domain.story import Track
from ops_platform.domain.telling import Why
from ops_platform_tests.build import NOON, after
from ops_platform_tests.stories import ANA, DAY, a_story

CAUSE = "*user exception* in step `work`: `Essential container in task exited; exit code 1`"


def _note(why: Why, *, later: timedelta = timedelta(0), **changes: Any) -> str:
    message = render_note(why, a_story(**changes), now=NOON + later)
    assert [block["text"]["text"] for block in message.blocks] == [message.text]
    assert render_plain(message).text == message.text
    return re.sub(r"<!date[^|]+\|([^>]+)>", r"\1", message.text)


def test_a_second_failure_is_told_with_its_time_and_cause() -> None:
    """The message above it shows the whole."""
    assert _note(Why.FAILED_AGAIN) == (
        f"{ANA} TrainFlow failed in production again, 2 Mar 2026 12:00:00 UTC: {CAUSE}"
    )


def test_a_reminder_tells_for_how_long() -> None:
    """And how often the flow has failed by then."""
    track = Track(3, None, NOON - 2 * DAY)

    assert _note(Why.REMINDER, later=2.5 * DAY, track=track) == (
        f"{ANA} TrainFlow in production is still broken, for 2 days now: {CAUSE}\n"
        "*3rd failure in a row*; no success since 28 Feb, when watching began."
    )
    assert "\n" not in _note(Why.REMINDER, track=Track(0, None, NOON))


def test_who_is_well_again_calls_nobody() -> None:
    """It says what shows it, and how long it took."""
    over: dict[str, Any] = {"state": State.RESOLVED, "resolved_at": after(90)}

    assert _note(Why.RESOLVED, resolved_by="run sfn-2 succeeded", **over) == (
        "🟢 TrainFlow recovered in production after 1 min 30 s: run sfn-2 succeeded."
    )
    assert _note(Why.RESOLVED, resolved_by="ana: data repaired", **over) == (
        "🟢 The incident of TrainFlow in production is resolved after 1 min 30 s by ana: "
        "data repaired."
    )


@pytest.mark.parametrize("why", sorted(set(Why) - {Why.RESOLVED}))
def test_all_other_notes_call_the_owner(why: Why) -> None:
    """First of all, and say what is broken."""
    note = _note(why)

    assert note.startswith(f"{ANA} TrainFlow ")
    assert "`Essential container" in note
