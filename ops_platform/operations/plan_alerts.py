"""What has to be told of an incident now, written into the outbox in the caller's transaction."""

from datetime import datetime, timedelta

import msgspec

from ops_platform.adapters.ledger import alerts, bursts, incidents
from ops_platform.adapters.ledger.alerts import DETAILS, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain import incidents as noun
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.detail_pages import pages
from ops_platform.domain.incidents import Incident
from ops_platform.domain.outbox import State
from ops_platform.domain.telling import NOTED, Standing, Told, Why, needs_update, standing

AT_ONCE = 100
_ENDED = frozenset({State.WITHHELD, State.DEAD})


def open_incident(
    tx: Transaction, incident: Incident, *, policy: AlertPolicy, now: datetime
) -> None:
    """Have a new incident told in each of its channels, or note why it is not."""
    verdict = policy.decide(incident, now)
    for channel in policy.routing.channels_of(incident) or ("",):
        alerts.open_alert(tx, incident, verdict, channel=channel, now=now)


def plan(tx: Transaction, incident: Incident, *, policy: AlertPolicy, now: datetime) -> None:
    """Have edited and noted what no longer holds of what was told of a known incident.

    One that was withheld, or never arrived, is told if its run has failed anew since.
    """
    untold = False
    for message in alerts.messages_of(tx, incident.id):
        leader = alerts.load(tx, message.told_with) if message.told_with else None
        plan_message(tx, leader or message, policy=policy, now=now)
        if leader is None:
            untold |= _failed_since(message, incident)
        elif _is_left_out(leader, incident):
            alerts.change(tx, message, told_with=None)
            untold = True
    if untold:
        open_incident(tx, incident, policy=policy, now=now)


def remind(tx: Transaction, *, policy: AlertPolicy, now: datetime) -> None:
    """Have the messages noted again whose incidents have been open for so long."""
    for account, repeat in policy.repeat.items():
        for message in incidents.untouched(tx, account, before=now - repeat, limit=AT_ONCE):
            plan_message(tx, message, policy=policy, now=now, repeat=repeat)


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
    tx: Transaction,
    message: Alert,
    *,
    policy: AlertPolicy,
    now: datetime,
    repeat: timedelta | None = None,
) -> None:
    """Have a message edited, and noted in its thread, if what was told there no longer holds.

    One that is just being sent is looked at again when it was; but its sender may die.
    """
    never_told = message.told is None and message.state is not State.SENT
    if never_told or (message.state in _ENDED and not message.is_posted):
        return
    now_is = standing_of(tx, message)
    why = needs_update(message.told, now_is, now=now, repeat=repeat)
    if why is None:
        return
    if why is Why.REMINDER:
        told = message.told and msgspec.structs.replace(message.told, mentioned_at=now)
        alerts.change(tx, message, told=told, mentioned_at=now)
    elif not message.is_unsure:
        alerts.expect(tx, message, why, due_at=now if why in NOTED else now + policy.update)
    if why in NOTED:
        alerts.add_part(tx, message, _note(why, now_is, now), why, due_at=now, again=False)


def plan_pages(
    tx: Transaction, message: Alert, incident: Incident, *, before: Told | None, now: datetime
) -> None:
    """Have the thread of a message that was sent brought up to date with it.

    ``before`` is what stood there before it was sent.
    """
    same = before is not None and message.told is not None and _same_failures(before, message.told)
    if same or bursts.of_leader(tx, message) is not None:
        return
    known = {row.part for row in alerts.of_incident(tx, incident.id)}
    wanted = [page_part(page.number) for page in pages(incident)]
    left_over = sorted(part for part in known - set(wanted) if part.startswith(DETAILS))
    for part in (*wanted, *left_over):
        alerts.add_part(tx, message, part, message.why, due_at=now, again=True)


def page_part(number: int) -> str:
    """Return the part of the thread that a page is."""
    return f"{DETAILS}{number:04}"


def _same_failures(before: Told, after: Told) -> bool:
    was, now_is = before.standing, after.standing
    return (was.failing, was.since, was.failures) == (now_is.failing, now_is.since, now_is.failures)


def _note(why: Why, now_is: Standing, now: datetime) -> str:
    """Return the part that a note is: the same for the same event, so that it is told once."""
    match why:
        case Why.RESOLVED:
            return f"resolved/{now_is.resolved_at or now:%Y%m%dT%H%M%S}"
        case Why.FAILED_AGAIN:
            return f"again/{now_is.since:%Y%m%dT%H%M%S}"
        case _:
            return f"reminder/{now:%Y%m%dT%H%M%S}"


def _failed_since(message: Alert, incident: Incident) -> bool:
    """Tell whether a run has failed anew since its message was withheld, or died unsent."""
    if message.state not in _ENDED or message.is_posted:
        return False
    if incident.state is noun.State.RESOLVED:
        return False
    if message.telling is None:
        return incident.opened_at > message.due_at
    unsaid = message.telling.standing
    return incident.opened_at > unsaid.since or unsaid.state is noun.State.RESOLVED


def _is_left_out(leader: Alert, incident: Incident) -> bool:
    """Tell whether a run has failed anew since the message that was to tell of it came to nothing.

    All failures of a burst but the first are newer than what its message says.
    """
    if leader.state not in _ENDED or leader.is_posted or incident.state is noun.State.RESOLVED:
        return False
    was_over = leader.telling is not None and leader.telling.standing.state is noun.State.RESOLVED
    return was_over or incident.opened_at > leader.due_at
