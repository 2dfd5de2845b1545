"""Take events from a queue into the ledger: nothing lost, nothing counted twice.

A message is deleted only after the transaction that stored it; what comes again is recognised by
EventBridge's id. Events, the state they add up to, and the incidents that follow are one
transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Generic, TypeVar

from ops_platform.adapters.ledger import (
    container_instances,
    events,
    executions,
    jobs,
    rejected_messages,
    rows,
    runs,
    watched,
)
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.rollups.marks import mark, mark_runs
from ops_platform.domain import changed_hours
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.changed_hours import Mark
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import Event, ExecutionEvent, InstanceEvent, JobEvent, Rejected
from ops_platform.domain.lifecycle import (
    JOB_ENDS,
    Job,
    advance_execution,
    advance_instance,
    advance_job,
)
from ops_platform.domain.ports import EventQueue, Message
from ops_platform.operations.update_incidents import update_incidents

E = TypeVar("E", bound=Event)
S = TypeVar("S")
Arrived = Sequence[tuple[str, Event]]


@dataclass(frozen=True, slots=True)
class _Noun(Generic[E, S]):
    """Something that events tell of: how its state is loaded and moved on by one more event.

    ``hours`` are those whose metrics a change of the state belongs to.
    """

    event: type[E]
    subject: Callable[[E], str]
    load: Callable[[Transaction, str, Collection[str]], dict[str, S]]
    advance: Callable[[S | None, E, str], S]
    hours: Callable[[S | None, S, datetime], Iterable[Mark]]


_JOBS = _Noun(JobEvent, attrgetter("job_id"), jobs.load, advance_job, changed_hours.of_jobs)
_EXECUTIONS = _Noun(
    ExecutionEvent,
    attrgetter("execution_arn"),
    executions.load,
    advance_execution,
    changed_hours.of_executions,
)
_INSTANCES = _Noun(
    InstanceEvent,
    attrgetter("instance_arn"),
    container_instances.load,
    advance_instance,
    changed_hours.of_instances,
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the messages read: each is new, a duplicate or rejected."""

    read: int = 0
    new: int = 0
    duplicates: int = 0
    rejected: int = 0
    newest: datetime | None = None

    def __add__(self, other: "Recorded") -> "Recorded":
        newest = max((at for at in (self.newest, other.newest) if at), default=None)
        return Recorded(
            self.read + other.read,
            self.new + other.new,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            newest,
        )


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one round at a queue did; ``undeleted`` messages will come again, as duplicates."""

    recorded: Recorded
    undeleted: int


def ingest(
    queue: EventQueue,
    ledger: Ledger,
    *,
    accounts: Mapping[str, str],
    policy: AlertPolicy,
    clock: Callable[[], datetime],
    seconds: float,
    batch: int = 5000,
) -> Ingested:
    """Receive, store, then delete, batch by batch, until the queue is empty or time is up."""
    recorded, undeleted = Recorded(), 0
    deadline = clock().timestamp() + seconds
    while (left := deadline - clock().timestamp()) > 0:
        messages = queue.receive(limit=batch, seconds=left)
        if not messages:
            break
        bodies = map(_bytes, messages)
        recorded += record(ledger, bodies, accounts=accounts, policy=policy, now=clock())
        undeleted += len(queue.delete(messages))
    return Ingested(recorded, undeleted)


def record(
    ledger: Ledger,
    bodies: Iterable[bytes],
    *,
    accounts: Mapping[str, str],
    policy: AlertPolicy,
    now: datetime,
) -> Recorded:
    """Store messages and all that follows from them, in one transaction.

    ``accounts`` names the AWS account ids; an event of another account is kept under its id.
    """
    parsed = list(map(parse, bodies))
    rejected = [message for message in parsed if isinstance(message, Rejected)]
    arrived = [
        (accounts.get(event.aws_account_id, event.aws_account_id), event)
        for event in parsed
        if not isinstance(event, Rejected)
    ]
    return _record(ledger, arrived, rejected, policy=policy, now=now)


def record_events(
    ledger: Ledger,
    told: Iterable[Event],
    *,
    accounts: Mapping[str, str],
    policy: AlertPolicy,
    now: datetime,
) -> Recorded:
    """Store events that were made of what an API told, and all that follows, as ``record`` does."""
    named = [(accounts.get(event.aws_account_id, event.aws_account_id), event) for event in told]
    return _record(ledger, named, (), policy=policy, now=now)


def _record(
    ledger: Ledger,
    arrived: Arrived,
    rejected: Sequence[Rejected],
    *,
    policy: AlertPolicy,
    now: datetime,
) -> Recorded:
    names = {account for account, _ in arrived}
    with ledger.transaction() as tx:
        for account in sorted(names):
            rows.lock(tx, f"state of {account}")
        if not policy.replayed:
            watched.begin(tx, names, now)
        rejected_messages.keep(tx, rejected, now=now)
        new = events.insert_new(tx, arrived, received_at=now)
        update_incidents(tx, _fold_all(tx, new, now), policy=policy, now=now)
    return Recorded(
        read=len(arrived) + len(rejected),
        new=len(new),
        duplicates=len(arrived) - len(new),
        rejected=len(rejected),
        newest=max((event.time for _, event in new), default=None),
    )


def _fold_all(tx: Transaction, new: Arrived, now: datetime) -> set[tuple[str, str]]:
    """Bring the state up to date; return account and id of each run that changed."""
    marks = list(changed_hours.of_events((event for _, event in new), now))
    changed_jobs = _fold(tx, new, _JOBS, marks, now)
    changed = _fold(tx, new, _EXECUTIONS, marks, now)
    instances = _fold(tx, new, _INSTANCES, marks, now)
    if changed_jobs:
        jobs.save(tx, changed_jobs)
    # A late event that changes no state may be the one that names the owner.
    noted = runs.note(tx, new)
    if changed:
        executions.save(tx, changed)
    if instances:
        container_instances.save(tx, instances)
    mark(tx, changed_hours.merged(marks), now)
    mark_runs(tx, noted, now)
    return noted | _runs_with_ends(changed_jobs) | {(e.account, e.run_id) for e in changed}


def _fold(
    tx: Transaction, new: Arrived, noun: _Noun[E, S], marks: list[Mark], now: datetime
) -> list[S]:
    """Fold the events of one kind into the states of their subjects; return what changed."""
    by_account: dict[str, list[E]] = defaultdict(list)
    for account, event in new:
        if isinstance(event, noun.event):
            by_account[account].append(event)
    changed: list[S] = []
    for account, arrived in by_account.items():
        before = noun.load(tx, account, {noun.subject(event) for event in arrived})
        after = dict(before)
        for event in arrived:
            subject = noun.subject(event)
            after[subject] = noun.advance(after.get(subject), event, account)
        for key, state in after.items():
            if state != before.get(key):
                changed.append(state)
                marks.extend(noun.hours(before.get(key), state, now))
    return changed


def _runs_with_ends(changed: Iterable[Job]) -> set[tuple[str, str]]:
    """Return the runs of jobs that have ended: what the others do changes no incident."""
    ended = (job for job in changed if job.latest.status in JOB_ENDS)
    return {(job.account, job.latest.run_id) for job in ended if job.latest.run_id}


def _bytes(message: Message) -> bytes:
    return message.body.encode(errors="surrogatepass")
