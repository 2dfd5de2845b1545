"""Find out what the ledger does not know of an incident, before it is told.

The ledger comes first, then Batch, then the execution's history. What they tell is recorded as
events, so that the incident itself gets better. The log of the first root failure is read once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from ops_platform.adapters.ledger import executions, incidents, job_logs, jobs, run_jobs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.aws_values import millis
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.events import Event, ExecutionEvent, JobEvent
from ops_platform.domain.execution_history import History
from ops_platform.domain.incidents import OF_RUNS, Incident, was_ended
from ops_platform.domain.job_log import BATCH_LOG_GROUP, LogAbsence
from ops_platform.domain.job_log_reading import READ_BYTES, READ_LINES, read_log
from ops_platform.domain.lifecycle import JOB_ENDS, Execution
from ops_platform.domain.ports import BatchJobs, ExecutionHistory, JobLogs
from ops_platform.domain.reasons import NEVER_BEGAN, never_ran
from ops_platform.operations.ingest_events import record_events

# Jobs that are dragged along take a while to end, and their events a while to come.
OPEN_GRACE = timedelta(minutes=2)
MOST_JOBS = 1000
_AT_ONCE = 100


def explain(
    ledger: Ledger,
    incident: Incident,
    *,
    jobs: BatchJobs,
    history: ExecutionHistory,
    logs: JobLogs,
    policy: AlertPolicy,
    clock: Callable[[], datetime],
    seconds: float,
    log_group: str = BATCH_LOG_GROUP,
) -> tuple[str, ...]:
    """Fill what the ledger lacks of an incident; return in sentences what could not be found out.

    Trouble with AWS is told and not raised: an alert that knows less is better than none. No new
    question is asked after ``seconds``. Of what is no failed run there is nothing to find out.
    """
    if incident.kind not in OF_RUNS:
        return ()
    search = _Search(ledger, incident, jobs, history, clock, clock() + timedelta(seconds=seconds))
    found = search.events()
    if found:
        names = {event.aws_account_id: incident.account for event in found}
        record_events(ledger, found, accounts=names, policy=policy, now=clock())
    search.read_log(logs, log_group)
    return tuple(search.said)


@dataclass(frozen=True, slots=True)
class _Search:
    """One incident, whom to ask about it, until when, and what went wrong with asking."""

    ledger: Ledger
    incident: Incident
    jobs: BatchJobs
    history: ExecutionHistory
    clock: Callable[[], datetime]
    deadline: datetime
    said: list[str] = field(default_factory=list)

    def events(self) -> list[Event]:
        """Return events that tell what the ledger does not know of the run and its jobs."""
        known = self._known()
        if known is None or (known.has_root and not known.lags(self.clock())):
            return []
        ended = list(self._ended(known.still_open))
        if known.has_root or any(_failed_by_itself(job, known.stopped_at) for job in ended):
            return [*ended]
        return [*ended, *self._from_history(known)]

    def read_log(self, logs: JobLogs, log_group: str) -> None:
        """Keep the end of the log of the first root failure, unless it is kept already.

        What could not start has none, and what its earlier attempts wrote is not why it ended.
        """
        account = self.incident.account
        with self.ledger.transaction() as tx:
            incident = incidents.load(tx, self.incident.id)
            if incident is None or incident.job_id is None or incident.reason in NEVER_BEGAN:
                return
            job_id, stream = incident.job_id, incident.log_stream
            job = jobs.load(tx, account, [job_id]).get(job_id)
            if job_logs.is_settled(tx, account, job_id, stream) or (job and never_ran(job.latest)):
                return
        if self._is_late("The log of the first failed job was not read"):
            return
        found = LogAbsence.MISSING if stream is None else logs.tail(
            stream=stream, limit_lines=READ_LINES, limit_bytes=READ_BYTES, log_group=log_group
        )  # fmt: skip
        if isinstance(found, LogAbsence):
            self.said.append(f"The log of the job {job_id} cannot be shown: {found}.")
        with self.ledger.transaction() as tx:
            log, now = read_log(found), self.clock()
            job_logs.save(tx, account, job_id, log, log_stream=stream, fetched_at=now)

    def _known(self) -> "_Known | None":
        """Return what the ledger knows; None of what has no execution to ask about."""
        incident = self.incident
        if incident.execution_arn is None:
            return None
        arn, account = incident.execution_arn, incident.account
        with self.ledger.transaction() as tx:
            execution = executions.load(tx, account, [arn]).get(arn)
            first = jobs.load(tx, account, [incident.job_id or ""]).get(incident.job_id or "")
            still_open = run_jobs.open_ids(tx, account, incident.run_id, limit=MOST_JOBS)
        if execution is None or execution.failure is None:
            return None
        # What was aborted counts as a root only where nothing failed by itself: one may be missing.
        has_root = first is not None and not was_ended(first.latest)
        return _Known(execution, incident.opened_at, still_open, has_root=has_root)

    def _ended(self, job_ids: Sequence[str]) -> Iterator[JobEvent]:
        """Yield those jobs that have ended, as Batch tells."""
        for begin in range(0, min(len(job_ids), MOST_JOBS), _AT_ONCE):
            if self._is_late("Not all jobs were looked up"):
                return
            try:
                described = self.jobs.describe(job_ids[begin : begin + _AT_ONCE])
            except PlatformError as error:
                self.said.append(str(error))
                return
            yield from (job for job in described if job.status in JOB_ENDS)

    def _from_history(self, known: "_Known") -> list[Event]:
        arn = known.execution.latest.execution_arn
        if self._is_late("The history of the execution was not read"):
            return []
        left = (self.deadline - self.clock()).total_seconds()
        try:
            history = self.history.failures(arn, seconds=left)
        except PlatformError as error:
            self.said.append(str(error))
            return []
        if history.gone:
            self.said.append(f"AWS has no history any more of the execution {arn}.")
        if history.truncated:
            self.said.append(f"Not all of the history of the execution {arn} could be read.")
        return [*self._jobs_in(history), *_end_told_by(history, known.execution)]

    def _jobs_in(self, history: History) -> list[JobEvent]:
        """Return the jobs a history names, from Batch if it still knows them."""
        failed = {job.job_id: job for job in history.failed}
        with self.ledger.transaction() as tx:
            wanted = run_jobs.not_ended(tx, self.incident.account, [*failed, *history.job_ids])
        ended = {job.job_id: job for job in self._ended(wanted)}
        return list({**{id_: failed[id_] for id_ in wanted if id_ in failed}, **ended}.values())

    def _is_late(self, consequence: str) -> bool:
        late = self.clock() >= self.deadline
        if late:
            self.said.append(f"{consequence}: the time was up.")
        return late


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger knows of a failed run."""

    execution: Execution
    stopped_at: datetime
    still_open: list[str]
    has_root: bool

    def lags(self, now: datetime) -> bool:
        """Whether jobs are still open that should have ended with the run."""
        return bool(self.still_open) and now - self.stopped_at >= OPEN_GRACE


def _failed_by_itself(job: JobEvent, stop: datetime) -> bool:
    in_time = job.stopped_at is not None and job.stopped_at <= stop
    return job.status == "FAILED" and in_time and not was_ended(job)


def _end_told_by(history: History, execution: Execution) -> Iterator[ExecutionEvent]:
    """Yield the execution's failure with what its event left out."""
    failure = execution.failure
    if failure is not None and history.error and not (failure.error or failure.cause):
        yield msgspec.structs.replace(
            failure,
            time=failure.time + timedelta(milliseconds=1),  # newer than what it adds to
            id=f"api:history:{failure.execution_arn}:{millis(failure.stopped_at)}",
            error=history.error,
            cause=history.cause,
        )
