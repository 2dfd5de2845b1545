"""Whether the platform itself does its work: what is wrong with it, by name, and how long it is.

A check fails, and its incident opens, once something was found wrong twice in a row and has lasted
for the limit: what is over before that is nobody's concern.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.incidents import Incident, Kind, digest_of, incident_id
from ops_platform.domain.incidents import State as IncidentState
from ops_platform.domain.reasons import Reason

FLOW = "ops_platform"
PASSES_AGAIN = "the check passes again"


class Check(StrEnum):
    """What is checked: those of an account, and two of the platform as a whole."""

    INGEST = "ingest"
    """Events come out of the account's queue into the ledger."""
    RECONCILIATION = "reconciliation"
    """Step Functions is asked for what the account's events missed."""
    DELIVERY = "delivery"
    """The account's alerts reach Slack."""
    CLEANUP = "cleanup"
    """Stale jobs of the account are looked for."""
    PARSING = "parsing"
    """What comes out of the queues is understood."""
    AUTOMATIONS = "automations"
    """Sensors and schedules tick, and their ticks succeed."""


OF_ACCOUNT = (Check.INGEST, Check.RECONCILIATION, Check.DELIVERY, Check.CLEANUP)
OF_PLATFORM = (Check.PARSING, Check.AUTOMATIONS)


class What(StrEnum):
    """What can be wrong."""

    EVENTS_WAIT = "events wait"
    QUEUE_UNREADABLE = "queue cannot be read"
    BEHIND = "state machines are behind"
    NEVER_READ = "state machines were never read"
    OVERDUE = "alerts are overdue"
    REFUSED = "alerts are refused"
    UNSURE = "alerts are in doubt"
    DEAD = "alerts are dead"
    UNCLEANED = "stale jobs are not looked for"
    REJECTED = "messages are rejected"
    SILENT = "does not tick"
    TURNED_OFF = "is turned off"
    FAILING = "fails"
    LEDGER_UNREACHABLE = "ledger cannot be reached"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a sentence with the number in it and what to do.

    ``about`` names the sensor or schedule, if it is one. ``is_old`` says that the thing itself is
    known to have lasted for the limit; otherwise it counts once it was found for that long.
    """

    what: What
    sentence: str
    about: str = ""
    is_old: bool = True


class State(StrEnum):
    """Where a check stands."""

    PASSES = "passes"
    SUSPECTED = "suspected"
    """Something is wrong, but not yet twice in a row or not yet for long enough."""
    FAILS = "fails"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """A check of one account, or of the platform as a whole."""

    check: Check
    account: str | None = None

    @property
    def incident_id(self) -> str:
        """The id of the incident that is open while the check fails."""
        return incident_id(f"platform/{self.account or 'ledger'}/{self.check}")

    def __str__(self) -> str:
        return f"{self.account}/{self.check}" if self.account else str(self.check)


@dataclass(frozen=True, slots=True)
class Health:
    """What became of a check; ``since`` is since when something is found wrong each time."""

    subject: Subject
    state: State
    findings: tuple[Finding, ...] = ()
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """All that is wrong, for people."""
        return " ".join(finding.sentence for finding in self.findings)

    @property
    def digest(self) -> str:
        """A digest of what is wrong that is the same while the numbers change."""
        return digest_of(f"{finding.what} {finding.about}" for finding in self.findings)


def subjects(accounts: Iterable[str]) -> list[Subject]:
    """Return all that is checked, for the accounts that the settings name."""
    own = [Subject(check, account) for account in accounts for check in OF_ACCOUNT]
    return [*own, *map(Subject, OF_PLATFORM)]


def settle(
    subject: Subject,
    findings: Sequence[Finding],
    *,
    since: datetime | None,
    now: datetime,
    limit: timedelta,
) -> Health:
    """Return what becomes of a check.

    Args:
        subject: What was checked.
        findings: What is wrong now.
        since: Since when something was wrong each time before; None if all was well.
        now: The time.
        limit: How long something may stand still.
    """
    if not findings:
        return Health(subject, State.PASSES)
    began = now if since is None else since
    has_lasted = any(finding.is_old for finding in findings) or now - began >= limit
    fails = since is not None and has_lasted
    return Health(subject, State.FAILS if fails else State.SUSPECTED, tuple(findings), began)


def incident_of(health: Health, *, account: str, now: datetime) -> Incident:
    """Return the incident of a check that fails; ``account`` is the one it is told in."""
    return Incident(
        id=health.subject.incident_id,
        account=account,
        flow=FLOW,
        run_id=str(health.subject.check),
        execution_arn=None,
        machine_arn=None,
        kind=Kind.PLATFORM_STALLED,
        state=IncidentState.OPEN,
        owner=None,
        project=None,
        branch=None,
        started_at=None,
        opened_at=health.since or now,
        failed_jobs=len(health.findings),
        collateral_jobs=0,
        steps={},
        reason=Reason.PLATFORM_STALLED,
        error=health.sentence,
        step=None,
        job_id=None,
        log_stream=None,
        failing=health.digest,
    )
