"""What events add up to: the state of jobs, executions and container instances.

Events repeat and arrive in any order. Each shows its subject whole, so a state is the newest of
the events seen, by an order in which no two differing events are equal, and a few moments that
only other events tell. The result depends on the set of events alone, and a missed one does little
harm.
"""

from datetime import UTC, datetime

import msgspec

from ops_platform.domain.events import ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.domain.identity import MachineName, machine_name, parse_machine_name, run_id
from ops_platform.domain.moments import NEVER, Entered, earlier, enter

# Ours: open in the ledger, but AWS has forgotten it, or its emulated account is gone.
LOST = "LOST"
JOB_STATES = (
    "SUBMITTED",
    "PENDING",
    "RUNNABLE",
    "STARTING",
    "RUNNING",
    LOST,
    "SUCCEEDED",
    "FAILED",
)
JOB_ENDS = frozenset({"SUCCEEDED", "FAILED"})
EXECUTION_FAILURES = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
EXECUTION_STATES = (
    "RUNNING", "PENDING_REDRIVE", LOST, "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED",
)  # fmt: skip
EXECUTION_ENDS = EXECUTION_FAILURES | {"SUCCEEDED"}
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_RANKS = {state: rank for rank, state in enumerate(JOB_STATES)}


class Job(msgspec.Struct, frozen=True):
    """A Batch job.

    ``runnable_at`` and ``starting_at`` are when it last entered those states, to the second, since
    only the envelope of an event tells; ``entered`` is when each attempt first did.
    """

    account: str
    latest: JobEvent
    runnable_at: datetime | None = None
    starting_at: datetime | None = None
    entered: Entered = NEVER

    @property
    def stopped_at(self) -> datetime | None:
        """When the job ended, or None while it has not."""
        if self.latest.status not in JOB_ENDS:
            return None
        return self.latest.stopped_at or self.latest.time


class Move(msgspec.Struct, frozen=True, order=True):
    """An execution came to a status: it began to run, anew after a redrive, or it ended."""

    at: datetime
    status: str


class Execution(msgspec.Struct, frozen=True):
    """A Step Functions execution.

    ``failure`` is its last failure, kept beside the newest event because a redrive sets a failed
    execution running again. ``moves`` are all starts and ends that are known, in their order.
    """

    account: str
    latest: ExecutionEvent
    failure: ExecutionEvent | None = None
    moves: tuple[Move, ...] = ()

    @property
    def run_id(self) -> str:
        """Metaflow's id of the run."""
        return run_id(self.latest.name)

    @property
    def is_map_child(self) -> bool:
        """Whether it is a child execution of a Distributed Map, whose label its machine carries."""
        return "/" in machine_name(self.latest.machine_arn)

    @property
    def machine(self) -> MachineName:
        """What the state machine's name tells of project, branch and flow."""
        return parse_machine_name(machine_name(self.latest.machine_arn))

    @property
    def stopped_at(self) -> datetime | None:
        """When the execution ended, or None while it has not."""
        if self.latest.status not in EXECUTION_ENDS:
            return None
        return ended_at(self.latest)


class Instance(msgspec.Struct, frozen=True):
    """An ECS container instance.

    ``registered_at`` is the earliest that is known of it, ``deregistered_at`` when it was first
    told to be INACTIVE.
    """

    account: str
    latest: InstanceEvent
    registered_at: datetime
    deregistered_at: datetime | None = None


def advance_job(job: Job | None, event: JobEvent, account: str) -> Job:
    """Return the job after one more of its events, in whatever order they come."""
    entered = None if event.blocked else event.time
    runnable_at = entered if event.status == "RUNNABLE" else None
    starting_at = entered if event.status == "STARTING" else None
    if job is None:
        return Job(account, event, runnable_at, starting_at, enter(NEVER, event))
    return Job(
        account,
        max(job.latest, event, key=_job_order),
        later(job.runnable_at, runnable_at),
        later(job.starting_at, starting_at),
        enter(job.entered, event),
    )


def advance_execution(
    execution: Execution | None, event: ExecutionEvent, account: str
) -> Execution:
    """Return the execution after one more of its events, in whatever order they come."""
    failure = event if event.status in EXECUTION_FAILURES else None
    if execution is None:
        return Execution(account, event, failure, _moves(event))
    failures = [known for known in (execution.failure, failure) if known is not None]
    latest = max(execution.latest, event, key=_execution_order)
    # Step Functions omits an input that is too large together with the output.
    metaflow_input = execution.latest.metaflow_input or event.metaflow_input
    return Execution(
        account,
        msgspec.structs.replace(latest, metaflow_input=metaflow_input),
        max(failures, key=_execution_order, default=None),
        tuple(sorted({*execution.moves, *_moves(event)})),
    )


def advance_instance(instance: Instance | None, event: InstanceEvent, account: str) -> Instance:
    """Return the instance after one more of its events, in whatever order they come."""
    left_at = event.time if event.status == "INACTIVE" else None
    if instance is None:
        return Instance(account, event, event.time, left_at)
    return Instance(
        account,
        max(instance.latest, event, key=_instance_order),
        min(instance.registered_at, event.time),
        earlier(instance.deregistered_at, left_at),
    )


def later(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the later of two moments that may be unknown."""
    return max(first or _BEGINNING, second or _BEGINNING) if first or second else None


def ended_at(event: ExecutionEvent) -> datetime:
    """Return when the execution of a terminal event stopped."""
    return event.stopped_at or event.time


def _job_order(event: JobEvent) -> tuple[object, ...]:
    # `attempts` lists ended attempts, so a retry's RUNNABLE has more of them than the first
    # RUNNING. Envelope times have whole seconds: within one, the state decides.
    rank = _RANKS.get(event.status, -1)
    return (event.status in JOB_ENDS, len(event.attempts), rank, event.time, event.id)


def _execution_order(event: ExecutionEvent) -> tuple[object, ...]:
    # Only a redrive follows a failure, later by whole seconds: time decides, then the end.
    ended = event.status in EXECUTION_ENDS
    moments = (event.time, event.started_at, event.redriven_at)
    changed = ended_at(event) if ended else max(moment for moment in moments if moment)
    return (changed, ended, event.status == LOST, event.time, event.id)


def _moves(event: ExecutionEvent) -> tuple[Move, ...]:
    """Return the starts and the end that an event tells; each tells the starts before it too."""
    starts = {event.started_at, event.redriven_at} - {None}
    if not starts and event.status == "RUNNING":
        starts = {event.time}
    moves = [Move(at, "RUNNING") for at in starts if at is not None]
    if event.status in EXECUTION_ENDS:
        moves.append(Move(ended_at(event), event.status))
    return tuple(sorted(moves))


def _instance_order(event: InstanceEvent) -> tuple[object, ...]:
    return (event.version, event.time, event.id)
