"""Where a message stands and what is next, said for people."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.cli.alert_words import next_in_words, told_in_words
from ops_platform.domain.incidents import State as IncidentState
from ops_platform.domain.telling import Standing, Told
from ops_platform_tests.build import NOON, after

LATER = NOON + timedelta(minutes=10)
SAYS = Told(Standing(IncidentState.OPEN, since=NOON, failing="f", failures=2, shown="s"), NOON, "d")
POSTED = {"posted_to": "C0123ABCD", "message_ts": "17.5", "sent_at": NOON, "told": SAYS}


def an_alert(**changes: Any) -> Alert:
    """Return a message that is pending and due."""
    unset: dict[str, Any] = dict.fromkeys(Alert.__struct_fields__)
    given = {
        "id": 12,
        "incident_id": "0123456789abcdef",
        "channel": "#alerts",
        "part": "message",
        "state": "pending",
        "why": "first notification",
        "due_at": NOON,
        "attempts": 0,
        "plain": False,
        "fallback": False,
    }
    return msgspec.convert(unset | given | changes, Alert)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({}, "It is sent (first notification) in the next round.", id="due"),
        pytest.param(
            {"due_at": LATER},
            "It is sent (first notification) at 2026-03-02T12:10:00.000Z.",
            id="waits",
        ),
        pytest.param(
            {"due_at": LATER, "attempts": 3, "reason": "not_in_channel"},
            (
                "It is sent (first notification) at 2026-03-02T12:10:00.000Z after 3 attempts."
                " Last time: not_in_channel."
            ),
            id="tried",
        ),
        pytest.param(
            {"reason": "retried by ana"},
            "It is sent (first notification) in the next round, retried by ana.",
            id="retried",
        ),
        pytest.param(
            {"due_at": LATER, "silence_id": 3, "reason": "silence 3 by ana: late"},
            ("Silence 3 holds it back until 2026-03-02T12:10:00.000Z. (silence 3 by ana: late)"),
            id="silenced",
        ),
        pytest.param(
            {"why": "new failures", **POSTED},
            "It is edited (new failures) in the next round.",
            id="edit",
        ),
        pytest.param(
            {"state": "sending", "due_at": LATER},
            (
                "A sender has it. If that died, it is looked up in Slack"
                " at 2026-03-02T12:10:00.000Z."
            ),
            id="sending",
        ),
        pytest.param(
            {"state": "ambiguous", "reason": "HTTP 502"},
            (
                "Nobody knows whether it arrived (HTTP 502). It is looked up in Slack"
                " in the next round, and sent again only if it is not there."
            ),
            id="ambiguous",
        ),
        pytest.param(
            {"state": "sent", **POSTED}, "Nothing, until there is news of its incident.", id="sent"
        ),
        pytest.param(
            {"state": "dead", "reason": "invalid_blocks"},
            (
                "Nothing will deliver it: invalid_blocks. Repair that (docs/operations.md has a"
                " list), then: ops-platform alerts retry 12"
            ),
            id="dead",
        ),
        pytest.param(
            {"state": "withheld", "reason": "replayed"},
            (
                "It is kept for the record and not sent: replayed."
                " To send it all the same: ops-platform alerts retry 12"
            ),
            id="withheld",
        ),
        pytest.param(
            {"state": "withheld", "reason": "told with x", "told_with": 7},
            "It is not sent by itself: alert 7 tells of it with others.",
            id="burst",
        ),
    ],
)
def test_what_is_next_is_said(changes: dict[str, Any], sentence: str) -> None:
    """And when."""
    assert next_in_words(an_alert(**changes), after(0)) == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({}, "Nothing stands in Slack, as far as is known.", id="nothing"),
        pytest.param(
            {"state": "sent", **POSTED},
            (
                "It stands in C0123ABCD as 17.5, last written 2026-03-02T12:00:00.000Z."
                " It says: open, 2 failures, since 2026-03-02T12:00:00.000Z."
            ),
            id="posted",
        ),
        pytest.param(
            {"state": "sent", **POSTED, "told": None, "plain": True, "fallback": True},
            (
                "It stands in C0123ABCD as 17.5, last written 2026-03-02T12:00:00.000Z."
                " Slack refused its blocks, so it is plain text."
                " It stands in the fallback channel; #alerts took none."
            ),
            id="another way",
        ),
    ],
)
def test_what_slack_was_told_is_said(changes: dict[str, Any], sentence: str) -> None:
    """And how."""
    assert told_in_words(an_alert(**changes)) == sentence
