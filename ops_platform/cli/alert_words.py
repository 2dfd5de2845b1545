"""Where a message of the outbox stands, and what comes next, in sentences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.cli.output import stamp
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import Told
from ops_platform.domain.words import counted

_SETTLED = {State.SENT, State.DEAD, State.WITHHELD}


def for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message's row without the time when it was due, once nothing more is to come."""
    return {**row, "due_at": None if row["state"] in _SETTLED else row["due_at"]}


def told_in_words(alert: Alert) -> str:
    """Return what Slack was told."""
    if not alert.is_posted:
        return "Nothing stands in Slack, as far as is known."
    where = f"It stands in {alert.posted_to} as {alert.message_ts}"
    when = f", last written {stamp(alert.sent_at)}" if alert.sent_at else ""
    return f"{where}{when}.{_what(alert.told)}{_how(alert)}"


def next_in_words(alert: Alert, now: datetime) -> str:
    """Return what happens next, and when; of what stays as it is, why it does."""
    match alert.state:
        case State.PENDING:
            return _pending(alert, now)
        case State.SENDING:
            return f"A sender has it. If that died, it is looked up in Slack {_when(alert, now)}."
        case State.AMBIGUOUS:
            return (
                f"Nobody knows whether it arrived ({alert.reason}). It is looked up in Slack"
                f" {_when(alert, now)}, and sent again only if it is not there."
            )
        case State.SENT:
            return "Nothing, until there is news of its incident."
        case State.DEAD:
            return (
                f"Nothing will deliver it: {alert.reason}. Repair that (docs/operations.md has a"
                f" list), then: ops-platform alerts retry {alert.id}"
            )
    return _withheld(alert)


def _pending(alert: Alert, now: datetime) -> str:
    if alert.silence_id is not None:
        number, end = alert.silence_id, stamp(alert.due_at)
        return f"Silence {number} holds it back until {end}. ({alert.reason})"
    act = f"It is edited ({alert.why})" if alert.is_posted else f"It is sent ({alert.why})"
    tried = f" after {alert.attempts} attempts" if alert.attempts else ""
    because = f" Last time: {alert.reason}." if tried and alert.reason else ""
    by = f", {alert.reason}" if alert.reason and not tried else ""
    return f"{act} {_when(alert, now)}{tried}{by}.{because}"


def _withheld(alert: Alert) -> str:
    if alert.told_with is not None:
        return f"It is not sent by itself: alert {alert.told_with} tells of it with others."
    return (
        f"It is kept for the record and not sent: {alert.reason}."
        f" To send it all the same: ops-platform alerts retry {alert.id}"
    )


def _when(alert: Alert, now: datetime) -> str:
    return f"at {stamp(alert.due_at)}" if alert.due_at > now else "in the next round"


def _what(told: Told | None) -> str:
    if told is None:
        return ""
    what = counted(told.standing.failures, "failure", "failures")
    return f" It says: {told.standing.state}, {what}, since {stamp(told.standing.since)}."


def _how(alert: Alert) -> str:
    plain = " Slack refused its blocks, so it is plain text." if alert.plain else ""
    fallback = f" It stands in the fallback channel; {alert.channel} took none."
    return plain + (fallback if alert.fallback else "")
