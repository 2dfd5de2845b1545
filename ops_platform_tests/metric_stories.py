"""Random stories for the metrics: jobs, executions and hosts over hours around a midnight.

True moments have milliseconds; envelopes tell them cut off to seconds, as EventBridge does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from ops_platform.domain.events import Attempt, Event, JobEvent
from ops_platform.domain.prices import Price
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    REGION,
    a_job_event,
    an_execution_event,
    an_instance_event,
)

BEGIN = NOON + timedelta(hours=9)
END = BEGIN + timedelta(hours=8)
PRICES = (
    Price("*", vcpu_hour=1, gib_hour=0.25),
    Price("m5.*", vcpu_hour=2, gib_hour=0.5),
    Price("m5.large", vcpu_hour=4, gib_hour=0),
)
_MACHINES = ("fraud.prod.TrainFlow", "fraud.user.ana.TrainFlow", "WideFlow", "nightly-etl")
# Of a job that runs on Kubernetes no size is told here.
_SIZES: tuple[dict[str, Any], ...] = (
    {"vcpus": None, "memory_mib": None},
    {"vcpus": 0.25, "memory_mib": 8192},
    {"vcpus": 4.0, "memory_mib": 512},
)
_HOSTS = ("m5.large", "m5.xlarge", "r5.large")
_ENDS = {
    "waits": ("", "cancelled", "terminated", "stale"),
    "starts": ("", "terminated", "unlisted"),
    "runs": ("", "terminated", "unlisted"),
    "ends": ("", "succeeded", "failed", "oom"),
}
_WORDS = {
    "stale": "ops_platform cancelled this stale job: it asks for too much",
    "oom": "OutOfMemoryError: Container killed due to memory usage",
}
Draw = Callable[[st.SearchStrategy[Any]], Any]
_moments = st.integers(0, 5 * 3_600_000)
# Often so short that cut-off moments change places, at times so long that hours pass between.
_gaps = st.one_of(
    st.integers(0, 2500), st.integers(0, 600_000), st.sampled_from([1000, 3_600_000, 6_000_000])
)


def at(millis: int) -> datetime:
    """Return the moment so many milliseconds after the beginning."""
    return BEGIN + timedelta(milliseconds=millis)


def arn(host: str) -> str:
    """Return the ARN of the container instance of that type."""
    return f"arn:aws:ecs:{REGION}:222222222222:container-instance/flows_Batch/{host}"


@st.composite
def stories(draw: Draw) -> list[Event]:
    """Draw the events, until the end, of a few jobs, executions and hosts; some were lost."""
    told: list[Event] = []
    for number in range(draw(st.integers(1, 5))):
        told += _job(draw, f"job-{number}")
    for number in range(draw(st.integers(0, 2))):
        told += _execution(draw, f"run-{number}")
    for host in _HOSTS:
        told += _host(draw, host)
    lost = draw(st.sets(st.integers(0, len(told) - 1), max_size=len(told) // 4))
    kept = [event for number, event in enumerate(told) if number not in lost and event.time < END]
    return [_with_id(event, f"event-{number}") for number, event in enumerate(kept)]


@st.composite
def deliveries(draw: Draw, told: Sequence[Event]) -> list[list[Event]]:
    """Draw how events arrive: in any order, some again or under another id, in portions."""
    chosen = st.lists(st.sampled_from(told), max_size=4) if told else st.just([])
    again: list[Event] = draw(chosen)
    copies = [_with_id(event, f"{event.id}-again") for event in draw(chosen)]
    arriving = draw(st.permutations([*told, *again, *copies]))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), max_size=2)))
    return [arriving[a:b] for a, b in zip([0, *cuts], [*cuts, len(arriving)], strict=True)]


def _with_id(event: Event, name: str) -> Event:
    return msgspec.structs.replace(event, id=name)


def _whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


class _Job:
    """A job whose events are being told; time goes on."""

    def __init__(self, draw: Draw, job_id: str) -> None:
        self._draw = draw
        self.now = draw(_moments)
        self.attempts: list[Attempt] = []
        self.told: list[JobEvent] = []
        self.on_hosts = draw(st.booleans())  # on Fargate a job has none
        flow = draw(st.sampled_from([None, "TrainFlow", "WideFlow"]))
        self.base = a_job_event(
            job_id=job_id,
            aws_account_id=draw(st.sampled_from(sorted(ACCOUNTS))),
            created_at=at(self.now),
            queue=draw(st.sampled_from(["flows", "gpus"])),
            step=flow and draw(st.sampled_from(["start", "work"])),
            owner=flow and draw(st.sampled_from([None, "ana", "ben"])),
            flow=flow,
            run_id=flow and f"sfn-run-{draw(st.integers(0, 2))}",
            **draw(st.sampled_from(_SIZES)),
        )

    def wait(self) -> None:
        """Let time go by."""
        self.now += self._draw(_gaps)

    def tell(self, status: str, **changes: Any) -> None:
        """Tell of the job as it is now."""
        shown = {"time": _whole_seconds(at(self.now)), "attempts": tuple(self.attempts)}
        self.told.append(msgspec.structs.replace(self.base, status=status, **(shown | changes)))


def _job(draw: Draw, job_id: str) -> list[JobEvent]:
    job = _Job(draw, job_id)
    for _ in range(draw(st.integers(0, 1))):
        job.wait()
        job.tell("PENDING")
    reached = "ends"
    for _ in range(draw(st.integers(1, 3))):
        reached = draw(st.sampled_from(["ends", "ends", "ends", *_ENDS]))
        _attempt(draw, job, reached)
        if reached != "ends":
            break
    _end(job, draw(st.sampled_from(_ENDS[reached])))
    of_parent = _parent(job) if draw(st.booleans()) else []
    return [*job.told, *of_parent]


def _attempt(draw: Draw, job: _Job, reached: str) -> None:
    # Batch takes seconds to try again, so that the cut-off moment is not before the last end.
    job.now += 1000 if job.attempts else 0
    job.wait()
    job.tell("RUNNABLE")
    if draw(st.booleans()):
        job.tell("RUNNABLE", blocked=True, status_reason="UNDETERMINED - Batch job is blocked")
    if reached == "waits":
        return
    job.wait()
    host = draw(st.sampled_from(_HOSTS)) if job.on_hosts else None
    where: dict[str, Any] = {"container_instance": host and arn(host)}
    job.tell("STARTING", **where)
    started = None
    if reached != "starts" and (reached == "runs" or draw(st.integers(0, 4))):
        job.wait()
        started = at(job.now)
        job.tell("RUNNING", started_at=started, **where)
    job.base = msgspec.structs.replace(job.base, started_at=started, **where)
    if reached == "ends":
        job.wait()
        job.attempts.append(Attempt(started, at(job.now), 1, container_instance=host and arn(host)))
        job.base = msgspec.structs.replace(job.base, started_at=None, container_instance=None)


def _end(job: _Job, how: str) -> None:
    if not how:
        return
    current = job.told[-1].status
    if current == "RUNNABLE" or how not in ("succeeded", "failed", "oom"):
        job.wait()
        if how == "terminated" and current != "RUNNABLE":
            base = job.base
            job.attempts.append(
                Attempt(base.started_at, at(job.now), container_instance=base.container_instance)
            )
    else:
        stopped = job.attempts[-1].stopped_at
        assert stopped is not None
        job.now = (stopped - BEGIN) // timedelta(milliseconds=1)
    stopped = at(job.now)
    job.now += 1700  # until Batch noticed
    last = job.attempts[-1] if job.attempts else Attempt()
    job.tell(
        "SUCCEEDED" if how == "succeeded" else "FAILED",
        stopped_at=stopped,
        # Of an attempt that never ran, Batch shows when the one before it began to run.
        started_at=job.base.started_at or last.started_at,
        container_instance=job.base.container_instance or last.container_instance,
        exit_code=1 if how == "failed" else None,
        status_reason=_WORDS.get(how, "a person said so"),
        cancelled=how in ("cancelled", "stale"),
        terminated=how in ("terminated", "unlisted"),
    )


def _parent(job: _Job) -> list[JobEvent]:
    """Make the job the child of an array; return what is told of its parent."""
    own = job.base.job_id
    child = f"{own}:0"
    job.told[:] = [msgspec.structs.replace(event, job_id=child) for event in job.told]
    array = {"job_id": own, "array_size": 2, "attempts": (), "started_at": None}
    first = msgspec.structs.replace(job.told[0], status="PENDING", blocked=False, **array)
    last = msgspec.structs.replace(
        job.told[-1],
        status="FAILED",
        blocked=False,
        status_reason="Array Child Job failed",
        **array,
    )
    return [first, last]


def _execution(draw: Draw, name: str) -> list[Event]:
    machine = draw(st.sampled_from(_MACHINES))
    account = draw(st.sampled_from(sorted(ACCOUNTS)))
    place = f"arn:aws:states:{REGION}:{account}"
    base = an_execution_event(
        aws_account_id=account,
        name=name,
        execution_arn=f"{place}:execution:{machine}:{name}",
        machine_arn=f"{place}:stateMachine:{machine}",
        metaflow_input=machine != "nightly-etl",
    )
    now = draw(_moments)
    base = msgspec.structs.replace(base, started_at=at(now))
    told: list[Event] = []
    for turn in range(draw(st.integers(1, 2))):
        if turn:  # as the console says: redriven seconds later at the earliest
            now += 3000 + draw(_gaps)
            base = msgspec.structs.replace(base, redriven_at=at(now))
        told.append(msgspec.structs.replace(base, time=_whole_seconds(at(now)), status="RUNNING"))
        if draw(st.integers(0, 5)) == 0:
            break
        now += draw(_gaps)
        last = draw(st.sampled_from(["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]))
        ended = {"status": last, "stopped_at": at(now), "time": _whole_seconds(at(now))}
        told.append(msgspec.structs.replace(base, **ended))
        if last == "SUCCEEDED":
            break
    return told


def _host(draw: Draw, host: str) -> list[Event]:
    now = draw(_moments)
    told: list[Event] = []
    statuses = ["ACTIVE", "ACTIVE", "INACTIVE"][: draw(st.integers(0, 3))]
    for version, status in enumerate(statuses):
        told.append(
            an_instance_event(
                instance_arn=arn(host),
                instance_type=host,
                time=_whole_seconds(at(now)),
                status=status,
                version=version,
            )
        )
        now += draw(_gaps)
    return told
