"""Tell who asked for a change of production that it failed, and that a later one succeeded."""

from ops_platform.adapters.ledger import alerts, incidents, rows
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Kind
from ops_platform.domain.promotion_incidents import FAILURES, change_incident, is_about
from ops_platform.domain.promotions import Entry, Request, What
from ops_platform.operations.update_incidents import tell


def tell_change(tx: Transaction, request: Request, entry: Entry, *, policy: AlertPolicy) -> None:
    """Open the incident of a change that has failed, or resolve those that a success makes up for.

    In the transaction that records the end: neither is ever there without the other.
    """
    if entry.what in FAILURES:
        rows.lock(tx, f"state of {request.account}")
        incident = change_incident(request, entry)
        is_new = incidents.save(tx, incident)
        tell(tx, incident, is_new=is_new, policy=policy, now=entry.at)
    elif entry.what is What.SUCCEEDED:
        _settle(tx, request, entry, policy)


def _settle(tx: Transaction, request: Request, entry: Entry, policy: AlertPolicy) -> None:
    rows.lock(tx, f"state of {request.account}")
    known = incidents.still_open(tx, request.account, Kind.CHANGE_FAILED)
    ours = sorted(each.id for each in known if is_about(each, request))
    alerts.keep(tx, ours)
    for each in ours:
        resolved = incidents.resolve(tx, each, by=f"change {request.id} succeeded", now=entry.at)
        if resolved is not None:
            tell(tx, resolved, is_new=False, policy=policy, now=entry.at)
