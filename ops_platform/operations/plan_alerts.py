"""What has to be told of an incident now, written into the outbox in the caller's transaction."""

from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import alerts, bursts, incidents
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.detail_pages import pages
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import NOTED, Standing, Why, needs_update, standing

AT_ONCE = 100
_PAGED = frozenset({Why.FIRST, Why.FAILED_AGAIN, Why.NEW_FAILURES, Why.FEWER_FAILURES})


def open_incident(
    tx: Transaction, incident: Incident, *, policy: AlertPolicy, now: datetime
) -> None:
    """Have a new incident told in each of its channels, or note why it is not."""
    verdict = policy.decide(incident, now)
    for channel in policy.routing.channels_of(incident) or ("",):
        alerts.open_alert(tx, incident.id, verdict, channel=channel, now=now)


def plan(tx: Transaction, incident: Incident, *, policy: AlertPolicy, now: datetime) -> None:
    """Have edited and noted what no longer holds of what was told of a known incident.

    An edit that waits may have to say more by now. Of a message that was never told there is
    nothing to put right, and whoever is sending one looks again when it is sent.
    """
    for message in alerts.messages_of(tx, incident.id):
        if message.state is State.WITHHELD and message.told_with is None:
            _reconsider(tx, message, incident, policy=policy, now=now)
            continue
        leader = alerts.load(tx, message.told_with) if message.told_with else message
        if leader is not None and leader.told is not None and leader.state is not State.SENDING:
            plan_message(tx, leader, incident.account, policy=policy, now=now)


def remind(tx: Transaction, *, policy: AlertPolicy, now: datetime) -> None:
    """Have the messages noted again whose incidents have been open for so long."""
    for account, repeat in policy.repeat.items():
        for message in incidents.untouched(tx, account, before=now - repeat, limit=AT_ONCE):
            plan_message(tx, message, account, policy=policy, now=now)


def standing_of(tx: Transaction, message: Alert) -> Standing:
    """Return what there is to tell in an incident's own message, which may be that of a burst."""
    burst = bursts.of_leader(tx, message)
    if burst is not None:
        return burst.standing
    incident = incidents.load(tx, message.incident_id)
    if incident is None:
        raise LookupError(f"The alert {message.id} has no incident.")
    return standing(incident)


def plan_message(
    tx: Transaction, message: Alert, account: str, *, policy: AlertPolicy, now: datetime
) -> None:
    """Have a message edited, and noted in its thread, if what it tells no longer holds."""
    now_is, repeat = standing_of(tx, message), policy.repeat.get(account)
    why = needs_update(message.told, now_is, now=now, repeat=repeat)
    if why is None:
        return
    if why is Why.REMINDER:
        told = message.told and msgspec.structs.replace(message.told, mentioned_at=now)
        alerts.change(tx, message, told=told, mentioned_at=now)
    else:
        alerts.expect(tx, message, why, due_at=now if why in NOTED else now + policy.update)
    if why in NOTED:
        alerts.add_part(tx, message, _note(why, now_is, now), why, due_at=now, again=False)


def plan_pages(tx: Transaction, message: Alert, incident: Incident, *, now: datetime) -> None:
    """Have the thread of a message that was sent brought up to date with it."""
    if message.burst is not None or message.why not in _PAGED:
        return
    known = {row.part for row in alerts.of_incident(tx, incident.id)}
    wanted = [page_part(page.number) for page in pages(incident)]
    left_over = sorted(part for part in known - set(wanted) if part.startswith("details/"))
    for part in (*wanted, *left_over):
        alerts.add_part(tx, message, part, message.why, due_at=now, again=True)


def page_part(number: int) -> str:
    """Return the part of the thread that a page is."""
    return f"details/{number:04}"


def _note(why: Why, now_is: Standing, now: datetime) -> str:
    """Return the part that a note is: the same for the same event, so that it is told once."""
    match why:
        case Why.RESOLVED:
            return f"resolved/{now_is.resolved_at or now:%Y%m%dT%H%M%S}"
        case Why.FAILED_AGAIN:
            return f"again/{now_is.since:%Y%m%dT%H%M%S}"
        case _:
            return f"reminder/{now:%Y%m%dT%H%M%S}"


def _reconsider(
    tx: Transaction, message: Alert, incident: Incident, *, policy: AlertPolicy, now: datetime
) -> None:
    """Tell an incident that was withheld if its run has failed anew since."""
    if incident.opened_at > message.due_at:
        verdict = policy.decide(incident, now)
        alerts.open_alert(tx, incident.id, verdict, channel=message.channel, now=now)
