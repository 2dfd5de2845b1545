"""What the ledger knows of why a job did not start, for the messages that tell of it."""

from collections.abc import Iterable
from dataclasses import replace

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.reasons import NEVER_BEGAN, gave_up
from ops_platform.domain.staleness import Decision
from ops_platform.domain.standstill import Standstill, told_by, told_by_batch


def standstill_of(tx: Transaction, incident: Incident, job: Job | None) -> Standstill | None:
    """Return why a job of an incident did not start; None if that is not what it tells of.

    ``job`` is the one that the incident names. Where the run was stopped it names none, or one that
    ended with it: the record of the run knows which.
    """
    if incident.reason not in NEVER_BEGAN:
        return None
    rows = cancellations.of_job(tx, incident.account, incident.job_id or "")
    if incident.kind is Kind.JOB_STUCK:
        return _as_warned(incident, rows)
    if incident.run_id and not (rows or (job and gave_up(job.latest))):
        rows = cancellations.of_run(tx, incident.account, incident.run_id)
    row = max(rows, key=lambda row: (row.verdict == Decision.CANCEL, row.judged_at), default=None)
    if row is not None:
        return told_by(row)
    said = job.latest.status_reason if job and gave_up(job.latest) else incident.error
    return told_by_batch(said, job) if said else None


def _as_warned(incident: Incident, rows: Iterable[Cancellation]) -> Standstill:
    """Return what a warning says now, with what was recorded if it is still the same.

    What to change stands in the incident itself.
    """
    sentence = (incident.error or "").partition("\n")[0]
    known = [told_by(row) for row in rows if " ".join((row.diagnosis or "").split()) == sentence]
    bare = Standstill(sentence=sentence, job_id=incident.job_id, step=incident.step)
    return replace(known[-1] if known else bare, sentence=sentence, advice="")
