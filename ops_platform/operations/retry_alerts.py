"""Have a message sent that nobody would send any more, or only later, by an operator's word."""

from collections.abc import Sequence
from datetime import datetime

from ops_platform.adapters.ledger import alerts, outbox_lists, silences
from ops_platform.adapters.ledger.alerts import MESSAGE, Alert
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.domain import incidents as noun
from ops_platform.domain.alerts import AlertPolicy, Send
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.silences import Silence, muted_by
from ops_platform.domain.telling import Why
from ops_platform.operations.by_hand import (
    Outcome,
    RefusedError,
    attempt_each,
    author,
    signed,
)
from ops_platform.operations.compose_alert import incident_of

_UNSENT = frozenset({State.PENDING, State.DEAD, State.WITHHELD})


def retry(
    ledger: Ledger,
    alert_ids: Sequence[int],
    *,
    who: str,
    why: str | None,
    policy: AlertPolicy,
    now: datetime,
) -> list[Outcome]:
    """Make messages due now that are dead, wait for their next attempt, or were withheld.

    Raises:
        RefusedError: There is none of one of these numbers, or nobody says so; nothing was done.
    """
    word = f"retried by {signed(who, why) if why else author(who)}"
    with ledger.transaction() as tx:
        unknown = [str(each) for each in alert_ids if alerts.load(tx, each) is None]
    if unknown:
        raise RefusedError(
            f"There is no alert {', '.join(unknown)}; `ops-platform alerts list` shows them."
        )

    def act(alert_id: str) -> str:
        with ledger.transaction() as tx:
            alert = outbox_lists.held(tx, int(alert_id))
            incident = incident_of(tx, alert)
            muting = muted_by(incident, silences.active(tx, now))
            parent = alerts.parent_of(tx, alert) or alert
            elsewhere = _elsewhere(alert, alerts.of_incident(tx, alert.incident_id))
            _check(alert, parent, incident, muting=muting, policy=policy, elsewhere=elsewhere)
            _make_due(tx, alert, incident, word=word, policy=policy, now=now)
        return f"alert {alert_id} is due now"

    return attempt_each(map(str, alert_ids), act)


def unsent_of(ledger: Ledger, incident_ids: Sequence[str]) -> list[int]:
    """Return the numbers of the messages of incidents that did not arrive.

    What was withheld for want of a channel is none of them once another message has one.

    Raises:
        RefusedError: One of the incidents does not exist, or all their messages have arrived.
    """
    with ledger.transaction() as tx:
        rows = {each: alerts.of_incident(tx, each) for each in incident_ids}
    if unknown := [each for each, found in rows.items() if not found]:
        raise RefusedError(
            f"There is no incident {', '.join(unknown)}; `ops-platform incidents list` shows them."
        )
    known = [alert for found in rows.values() for alert in found]
    posted = {(alert.incident_id, alert.channel) for alert in known if _is_parent(alert)}
    unsent = [
        alert.id
        for alert in known
        if alert.state in _UNSENT and not alert.is_posted and alert.told_with is None
        if _elsewhere(alert, rows[alert.incident_id]) is None
        if alert.part == MESSAGE or (alert.incident_id, alert.channel) in posted
    ]
    if known and not unsent:
        raise RefusedError(
            f"No message of incident {', '.join(rows)} waits to be sent;"
            f" `ops-platform incidents show {next(iter(rows))}` shows where they stand."
        )
    return unsent


def _is_parent(alert: Alert) -> bool:
    return alert.part == MESSAGE and alert.is_posted


def _check(
    alert: Alert,
    parent: Alert,
    incident: Incident,
    *,
    muting: Silence | None,
    policy: AlertPolicy,
    elsewhere: str | None,
) -> None:
    """Refuse what would change nothing, or tell somebody what the settings keep from them."""
    refusal = _stands(alert) or elsewhere
    if refusal is None and not alert.is_posted:
        refusal = _keeps(alert, parent, incident, muting)
    if refusal is None and alert.state is State.WITHHELD:
        refusal = policy.unwanted(incident)  # an old or a replayed one is what a retry is for
    if refusal is not None:
        raise RefusedError(f"alert {alert.id} stays {alert.state}: {refusal}")


def _elsewhere(alert: Alert, known: Sequence[Alert]) -> str | None:
    """Return which message tells by now what was withheld for want of a channel."""
    if alert.channel:
        return None
    told = (f"alert {row.id} tells of it in {row.channel}" for row in known if row.channel)
    return next(told, None)


def _keeps(alert: Alert, parent: Alert, incident: Incident, muting: Silence | None) -> str | None:
    """Return what would keep a message that does not stand in Slack from being posted."""
    if alert.part != MESSAGE and not parent.is_posted:
        return f"it belongs to the thread of alert {parent.id}; retry that one first"
    if alert.part == MESSAGE and incident.state is noun.State.RESOLVED:
        return "its incident is resolved; nobody has to hear of it any more"
    if muting is not None:
        return f"silence {muting.id} mutes it; `ops-platform silences expire {muting.id}`"
    return None


def _stands(alert: Alert) -> str | None:
    """Return why nothing is to be done about a message, as it stands."""
    match alert.state:
        case State.SENT:
            return f"it stands in Slack since {alert.sent_at:%F %H:%M} UTC"
        case State.SENDING | State.AMBIGUOUS:
            return "it may have arrived, and is looked up before it is sent again"
        case State.WITHHELD if alert.told_with is not None:
            return f"alert {alert.told_with} tells of it, together with others"
    return None


def _make_due(
    tx: Transaction,
    alert: Alert,
    incident: Incident,
    *,
    word: str,
    policy: AlertPolicy,
    now: datetime,
) -> None:
    due: dict[str, object] = {
        "state": State.PENDING,
        "due_at": now,
        "attempts": 0,
        "reason": word,
        "plain": False,
    }
    if alert.part == MESSAGE and not alert.is_posted:
        due["fallback"] = False
        due["why"] = Why.RETRIED if alert.state is State.DEAD else alert.why
    if not alert.channel:
        first, *others = policy.routing.channels_of(incident)
        due["channel"] = first
        for channel in others:
            alerts.open_alert(tx, incident, Send(now), channel=channel, now=now)
    alerts.change(tx, alert, **due)
