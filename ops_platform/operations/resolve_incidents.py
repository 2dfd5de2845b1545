"""Resolve incidents by an operator's word, and have that told where they were told."""

from collections.abc import Sequence
from datetime import datetime

from ops_platform.adapters.ledger import incidents, rows
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.incidents import Incident
from ops_platform.operations.by_hand import Outcome, RefusedError, attempt_each, signed
from ops_platform.operations.update_incidents import tell


def resolve(
    ledger: Ledger,
    incident_ids: Sequence[str],
    *,
    who: str,
    why: str,
    policy: AlertPolicy,
    now: datetime,
) -> list[Outcome]:
    """Resolve open incidents; a run that fails anew opens its incident again.

    Raises:
        RefusedError: One of them does not exist, or nobody says so or why; nothing was done.
    """
    word = signed(who, why)
    with ledger.transaction() as tx:
        loaded = [incidents.load(tx, each) for each in incident_ids]
    known = {incident.id: incident for incident in loaded if incident is not None}
    if unknown := [each for each in incident_ids if each not in known]:
        raise RefusedError(
            f"There is no incident {', '.join(unknown)}; `ops-platform incidents list` shows them."
        )

    def act(incident_id: str) -> str:
        with ledger.transaction() as tx:
            # Nobody may be folding events into the account's incidents meanwhile.
            rows.lock(tx, f"state of {known[incident_id].account}")
            resolved = incidents.resolve(tx, incident_id, by=word, now=now)
            if resolved is None:
                raise RefusedError(_already(incidents.load(tx, incident_id) or known[incident_id]))
            tell(tx, resolved, is_new=False, policy=policy, now=now)
        return f"incident {incident_id} is resolved"

    return attempt_each(incident_ids, act)


def _already(incident: Incident) -> str:
    when = f" since {incident.resolved_at:%F %H:%M} UTC" if incident.resolved_at else ""
    return f"incident {incident.id} is resolved already{when}: {incident.resolved_by}"
