"""How a flow did before it failed, and how it became well again, as its alert tells it."""

import re
from typing import Any

import pytest

from ops_platform.domain.alert_message import Message, render
from ops_platform.domain.incidents import State
from ops_platform.domain.routes import Severity
from ops_platform.domain.story import JobLog, Track
from ops_platform_tests.build import NOON, after
from ops_platform_tests.stories import ANA, DAY, a_story, check, shown

LOG = JobLog("ValueError: 3 < 4", "begin\nTraceback:\nValueError: 3 < 4", True, None)  # noqa: FBT003


def _render(**changes: Any) -> Message:
    message = render(a_story(**changes), NOON)
    check(message, called=["U0ADA00001"])
    return message


@pytest.mark.parametrize(
    ("track", "sentence"),
    [
        (
            Track(3, NOON - 2 * DAY, None),
            "*3rd failure in a row*; last success 2 days before, 28 Feb 2026 12:00:00 UTC.",
        ),
        (Track(1, NOON - DAY, NOON), "*First failure*; last success 1 day before, "),
        (
            Track(12, None, NOON - 2 * DAY),
            "*12th failure in a row*; no success since 28 Feb, when watching began.",
        ),
        (Track(2, None, NOON - 99 * DAY), "; no success since 23 Nov 2025, when watching began."),
        (Track(0, None, NOON - 2 * DAY), "No success since 28 Feb, when watching began."),
        (Track(2, None, None), "*2nd failure in a row*; no success is known."),
        (Track(0, NOON - DAY, None), "Last success 1 day before, "),
    ],
)
def test_an_alert_tells_how_the_flow_did_before(track: Track, sentence: str) -> None:
    """As far as the ledger knows."""
    text = re.sub(r"<!date[^|]+\|([^>]+)>", r"\1", shown(_render(track=track)))

    assert any(sentence in line for line in text.splitlines())


@pytest.mark.parametrize(
    ("track", "sentence"),
    [
        (Track(1, None, NOON - 99 * DAY), "*First failure*."),
        (Track(1, None, None), "*First failure*."),
        (Track(3, None, NOON - DAY), "*3rd failure in a row*."),
        (
            Track(0, None, NOON - DAY),
            "2 jobs failed in step `work`, 9 others were stopped with them, 1 succeeded.",
        ),
    ],
)
def test_a_success_is_not_missed_where_none_was_to_be_expected(track: Track, sentence: str) -> None:
    """Of a first failure, and on the first day, that there was none is no news."""
    message = _render(track=track)

    assert sentence in shown(message).splitlines()
    assert "success " not in shown(message)


def test_a_resolved_alert_says_so_and_calls_nobody() -> None:
    """When, by what, and how long it was broken; what it was is kept, but for the log."""
    message = _render(
        state=State.RESOLVED,
        resolved_at=after(3 * 3600 + 12 * 60),
        resolved_by="run sfn-2 succeeded",
        log=LOG,
        severity=Severity.CRITICAL,
    )
    text = shown(message)

    assert (
        message.text == "TrainFlow recovered in production after 3 h 12 min: run sfn-2 succeeded."
    )
    assert message.blocks[0]["text"]["text"] == "🟢 TrainFlow recovered in production"
    assert "*Recovered* <!date" in text
    assert "Before that: *user exception* in step `work`: `ValueError: 3 &lt; 4`" in text
    assert "\n2 jobs failed in step `work`, " in text
    assert "Traceback" not in text
    assert ANA not in text


@pytest.mark.parametrize(
    "by",
    [
        "run sfn-2 succeeded",
        "run sfn-2 started",
        "a redrive of the run succeeded",
        "the failed tasks were retried",
        "the check passes again",
    ],
)
def test_what_a_success_shows_has_recovered(by: str) -> None:
    """The headline says so."""
    message = _render(state=State.RESOLVED, resolved_by=by)

    assert message.text == f"TrainFlow recovered in production: {by}."


@pytest.mark.parametrize(
    ("by", "end"),
    [
        ("root: the feed was repaired", " by root: the feed was repaired."),
        ("<ana>: run 2 succeeded", " by &lt;ana&gt;: run 2 succeeded."),
        ("the state machine is gone", ": the state machine is gone."),
        (None, "."),
    ],
)
def test_what_is_resolved_by_a_word_has_not_recovered(by: str | None, end: str) -> None:
    """Somebody may be wrong."""
    message = _render(state=State.RESOLVED, resolved_at=after(30), resolved_by=by)

    assert message.text == f"The incident of TrainFlow in production is resolved after 30 s{end}"
    assert message.blocks[0]["text"]["text"].startswith("🟢 The incident of TrainFlow")
    assert "*Resolved* <!date" in shown(message)
