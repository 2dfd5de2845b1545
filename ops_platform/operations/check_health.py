"""Check whether the platform does its work, and have somebody told when it does not.

Nothing here trusts what it checks: the ledger and the queues are asked anew, and what Dagster knows
of its sensors and schedules is handed in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from ops_platform.adapters.ledger import alerts, incidents, rows
from ops_platform.adapters.ledger import health as known
from ops_platform.adapters.ledger.database import Ledger, LedgerError, Transaction
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.health import (
    PASSES_AGAIN,
    Check,
    Finding,
    Health,
    State,
    Subject,
    What,
    incident_of,
    settle,
    subjects,
)
from ops_platform.domain.health_rules import (
    DEAD_WITHIN,
    REJECTED_WITHIN,
    TRIED_IN_VAIN,
    Automation,
    Ingest,
    done_within,
    judge_automations,
    judge_cleanup,
    judge_delivery,
    judge_ingest,
    judge_parsing,
    judge_reconciliation,
)
from ops_platform.domain.incidents import Incident
from ops_platform.domain.incidents import State as IncidentState
from ops_platform.domain.ports import EventQueue
from ops_platform.operations.policy import queue_accounts
from ops_platform.operations.update_incidents import tell
from ops_platform.settings.model import Settings

Found = Mapping[Subject, Sequence[Finding]]

# What the name of a sensor or schedule begins with, before its account, and what it is there for.
_SERVES = {
    "ingest_events_": Check.INGEST,
    "reconcile_executions_": Check.RECONCILIATION,
    "clean_up_stale_jobs_": Check.CLEANUP,
}


@dataclass(frozen=True, slots=True)
class Examiner:
    """Looks at all parts of the platform."""

    ledger: Ledger
    settings: Settings
    queue: Callable[[str], EventQueue]

    def examine(self, automations: Sequence[Automation] | None, *, now: datetime) -> Found:
        """Return what is wrong, by check; without automations, nothing is said of them."""
        names = [account.name for account in self.settings.accounts]
        wanted = subjects(names)
        if automations is None:
            wanted.remove(Subject(Check.AUTOMATIONS))
        # At once, since each may take its time, and who waits for all of them has but a minute.
        with ThreadPoolExecutor(len(names)) as pool:
            queues = dict(zip(names, pool.map(self._ask_queue, names), strict=True))
        try:
            found = {subject: self._look_at(subject, queues, now) for subject in wanted}
        except LedgerError as error:
            sentence = " ".join(str(error).split())
            trouble = Finding(What.LEDGER_UNREACHABLE, sentence, is_old=False)
            found = {subject: [trouble] for subject in wanted}
        for each in automations or ():
            served = _served_by(each, self.settings)
            # First, since what does not tick is why other things are wrong.
            found[served][:0] = judge_automations([each], now=now, limit=limit(self.settings))
        return found

    def _ask_queue(self, account: str) -> int | str:
        """Return how many messages wait, or why nobody knows."""
        try:
            return self.queue(account).backlog().visible
        except PlatformError as error:
            return str(error)

    def _look_at(
        self, subject: Subject, queues: Mapping[str, int | str], now: datetime
    ) -> list[Finding]:
        match subject:
            case Subject(Check.INGEST, str(account)):
                return self._ingest(account, queues[account], now)
            case Subject(Check.DELIVERY, str(account)):
                return self._delivery(account, now)
            case Subject(Check.RECONCILIATION, str(account)):
                return self._reconciliation(account, now)
            case Subject(Check.CLEANUP, str(account)):
                return self._cleanup(account, now)
            case Subject(Check.PARSING):
                with self.ledger.transaction() as tx:
                    return judge_parsing(known.rejected(tx, since=now - REJECTED_WITHIN))
            case _:
                return []

    def _ingest(self, account: str, waiting: int | str, now: datetime) -> list[Finding]:
        late = limit(self.settings)
        sharing = [*queue_accounts(self.settings, account).values()]
        with self.ledger.transaction() as tx:
            comes_in = known.comes_in(tx, sharing, since=now - late)
        return judge_ingest(Ingest(account, waiting, comes_in), limit=late)

    def _delivery(self, account: str, now: datetime) -> list[Finding]:
        late = limit(self.settings)
        with self.ledger.transaction() as tx:
            outbox = known.outbox(
                tx,
                account,
                now=now,
                limit=late,
                tried=TRIED_IN_VAIN,
                dead_within=DEAD_WITHIN,
            )
        return judge_delivery(outbox, now=now)

    def _reconciliation(self, account: str, now: datetime) -> list[Finding]:
        interval = timedelta(minutes=self.settings.timing.reconcile_minutes)
        within = done_within(limit(self.settings), interval)
        with self.ledger.transaction() as tx:
            reached = known.reconciliation(tx, account, now=now, within=within)
        return judge_reconciliation(reached, now=now)

    def _cleanup(self, account: str, now: datetime) -> list[Finding]:
        interval = timedelta(minutes=self.settings.timing.stale_jobs_minutes)
        with self.ledger.transaction() as tx:
            facts = known.cleanup(tx, account)
        return judge_cleanup(facts, within=done_within(limit(self.settings), interval), now=now)


def limit(settings: Settings) -> timedelta:
    """Return how long a part of the platform may stand still."""
    return timedelta(minutes=settings.timing.stalled_minutes)


def home(settings: Settings) -> str:
    """Return the account in which trouble of the platform as a whole is told."""
    production = [each.name for each in settings.accounts if each.stage == "production"]
    return production[0] if production else settings.accounts[0].name


def judge(
    found: Found, since: Mapping[Subject, datetime], *, now: datetime, limit: timedelta
) -> list[Health]:
    """Return where each check stands; ``since`` tells since when it did not pass before."""
    return [
        settle(subject, findings, since=since.get(subject), now=now, limit=limit)
        for subject, findings in found.items()
    ]


def tell_health(
    ledger: Ledger, healths: Sequence[Health], *, home: str, policy: AlertPolicy, now: datetime
) -> list[Incident]:
    """Open the incidents of checks that fail, resolve those of checks that pass; return them.

    That the ledger cannot be reached cannot be written into it; only Dagster shows it.
    """
    tellable = (health for health in healths if not _is_of_ledger(health))
    changed = (_tell(ledger, each, home=home, policy=policy, now=now) for each in tellable)
    return [incident for incident in changed if incident is not None]


def _tell(
    ledger: Ledger, health: Health, *, home: str, policy: AlertPolicy, now: datetime
) -> Incident | None:
    account, its_id = health.subject.account or home, health.subject.incident_id
    with ledger.transaction() as tx:
        if not _is_news(health, incidents.load(tx, its_id)):
            return None
        # What an operator or another process does to it meanwhile is seen, or waits.
        rows.lock(tx, f"state of {account}")
        standing = incidents.load(tx, its_id)
        if not _is_news(health, standing):
            return None
        alerts.keep(tx, [its_id])
        if health.state is State.PASSES:
            return _resolve(tx, its_id, policy=policy, now=now)
        incident = incident_of(health, account=account, now=now)
        if standing is not None and standing.state is IncidentState.OPEN:
            incident = msgspec.structs.replace(incident, opened_at=standing.opened_at)
        is_new = incidents.save(tx, incident)
        tell(tx, incident, is_new=is_new, policy=policy, now=now)
        return incident


def _resolve(
    tx: Transaction, incident_id: str, *, policy: AlertPolicy, now: datetime
) -> Incident | None:
    resolved = incidents.resolve(tx, incident_id, by=PASSES_AGAIN, now=now)
    if resolved is not None:
        tell(tx, resolved, is_new=False, policy=policy, now=now)
    return resolved


def _is_news(health: Health, incident: Incident | None) -> bool:
    """Tell whether an incident has to be written; not for numbers alone, which always change."""
    is_open = incident is not None and incident.state is IncidentState.OPEN
    match health.state:
        case State.SUSPECTED:
            return False
        case State.PASSES:
            return is_open
    if incident is None or is_open:
        return incident is None or incident.failing != health.digest
    # Who resolved it while the check failed is not contradicted until it has passed meanwhile.
    return health.since is None or (incident.resolved_at or incident.opened_at) < health.since


def _is_of_ledger(health: Health) -> bool:
    return any(finding.what is What.LEDGER_UNREACHABLE for finding in health.findings)


def _served_by(automation: Automation, settings: Settings) -> Subject:
    """Return the check that a sensor or schedule belongs to: its account's, or the platform's."""
    return next(_accounts_served(automation.name, settings), Subject(Check.AUTOMATIONS))


def _accounts_served(name: str, settings: Settings) -> Iterator[Subject]:
    for account in settings.accounts:
        for beginning, check in _SERVES.items():
            if name.removesuffix("_schedule") == f"{beginning}{account.name}".replace("-", "_"):
                yield Subject(check, account.name)
