"""Events of many flows, as ingest takes them in: jobs with retries, runs, and their hosts."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from bench.ingest import ACCOUNTS, POLICY
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Attempt, Event, ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.operations.ingest_events import record_events

REGION = "eu-west-1"
_ACCOUNT = next(iter(ACCOUNTS))
_BATCH = 5000
_FLOWS, _STEPS, _OWNERS, _QUEUES, _HOSTS = 50, 5, 20, 10, 500
_TYPES = ("m5.large", "m5.4xlarge", "c5.2xlarge", "r5.xlarge", "g4dn.xlarge")
_ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
_JOBS_OF_A_RUN = 100
_WORDS = "Essential container in task exited"


@dataclass(frozen=True, slots=True)
class Load:
    """So many events, of jobs that are all submitted within a period."""

    events: int
    begin: datetime
    seconds: float = 3300
    seed: int = 0


def fill(ledger: Ledger, load: Load) -> None:
    """Take the events of a load in, as if they had come from a queue."""
    told = islice(_events(load), load.events)
    now = load.begin + timedelta(seconds=load.seconds)
    while some := list(islice(told, _BATCH)):
        record_events(ledger, some, accounts=ACCOUNTS, policy=POLICY, now=now)


def _events(load: Load) -> Iterator[Event]:
    rng = random.Random(load.seed)
    for number in range(_HOSTS):
        yield _host(load, number)
    number = 0
    while True:
        if number % _JOBS_OF_A_RUN == 0:
            yield from _run(load, rng, number // _JOBS_OF_A_RUN)
        yield from _job(load, rng, number)
        number += 1


def _host(load: Load, number: int) -> InstanceEvent:
    return InstanceEvent(
        id=f"{load.seed}-host-{number}",
        time=load.begin,
        aws_account_id=_ACCOUNT,
        region=REGION,
        instance_arn=_arn(number),
        ec2_instance_id=f"i-{number:017x}",
        cluster=f"flows{number % 3}_Batch_0123",
        status="ACTIVE",
        version=1,
        agent_connected=True,
        instance_type=_TYPES[number % len(_TYPES)],
        availability_zone=_ZONES[number % len(_ZONES)],
        cpu_units=4096,
        memory_mib=16_384,
    )


def _arn(host: int) -> str:
    return f"arn:aws:ecs:{REGION}:{_ACCOUNT}:container-instance/flows/{host:032x}"


def _run(load: Load, rng: random.Random, number: int) -> Iterator[ExecutionEvent]:
    started = load.begin + timedelta(seconds=rng.uniform(0, load.seconds))
    stopped = started + timedelta(milliseconds=rng.randrange(60_000, 600_000))
    machine = f"team.prod.Flow{number % _FLOWS}"
    place, name = f"arn:aws:states:{REGION}:{_ACCOUNT}", f"{load.seed}-{number}"
    begun = ExecutionEvent(
        id=f"{name}-run",
        time=started.replace(microsecond=0),
        aws_account_id=_ACCOUNT,
        region=REGION,
        execution_arn=f"{place}:execution:{machine}:{name}",
        machine_arn=f"{place}:stateMachine:{machine}",
        name=name,
        status="RUNNING",
        started_at=started,
        stopped_at=None,
        redriven_at=None,
        error=None,
        cause=None,
        metaflow_input=True,
    )
    yield begun
    yield msgspec.structs.replace(
        begun,
        id=f"{name}-end",
        time=stopped.replace(microsecond=0),
        status="SUCCEEDED",
        stopped_at=stopped,
    )


def _job(load: Load, rng: random.Random, number: int) -> Iterator[JobEvent]:
    """Yield a job's events: one in five is tried twice, one in fifty fails."""
    at = load.begin + timedelta(milliseconds=rng.randrange(int(load.seconds * 1000)))
    job = _waiting(load, number, at)
    fails = number % 50 == 0
    attempts: list[Attempt] = []
    told: list[JobEvent] = []
    for last in (False, True) if number % 5 == 0 else (True,):
        job = msgspec.structs.replace(job, attempts=tuple(attempts), started_at=None)
        starting = at + timedelta(milliseconds=rng.randrange(1000, 60_000))
        started = starting + timedelta(milliseconds=rng.randrange(500, 20_000))
        stopped = started + timedelta(milliseconds=rng.randrange(1000, 200_000))
        host = _arn(rng.randrange(_HOSTS))
        placed = {"container_instance": host, "log_stream": f"flows/default/{number}"}
        told += [
            _as(job, "RUNNABLE", at),
            _as(msgspec.structs.replace(job, **placed), "STARTING", starting),
            _as(msgspec.structs.replace(job, started_at=started, **placed), "RUNNING", started),
        ]
        code = 0 if last and not fails else 1
        attempts.append(Attempt(started, stopped, code, _WORDS, f"flows/default/{number}", host))
        at = stopped + timedelta(seconds=1)
    end = {"started_at": started, "stopped_at": stopped, "status_reason": _WORDS, **placed}
    over = msgspec.structs.replace(job, attempts=tuple(attempts), exit_code=code, **end)
    told.append(_as(over, "FAILED" if fails else "SUCCEEDED", stopped))
    for count, event in enumerate(told):
        yield msgspec.structs.replace(event, id=f"{job.job_id}-{count}")


def _as(job: JobEvent, status: str, at: datetime) -> JobEvent:
    return msgspec.structs.replace(job, status=status, time=at.replace(microsecond=0))


def _waiting(load: Load, number: int, at: datetime) -> JobEvent:
    flow = number // _JOBS_OF_A_RUN % _FLOWS
    sizes: Sequence[float] = (0.5, 1, 2, 4)
    return JobEvent(
        id="",
        time=at,
        aws_account_id=_ACCOUNT,
        region=REGION,
        job_id=f"{load.seed}-job-{number}",
        job_name=f"SFN-Flow{flow}--step{number % _STEPS}--",
        queue=f"queue{flow % _QUEUES}",
        definition=f"metaflow_{flow}:1",
        status="RUNNABLE",
        blocked=False,
        status_reason=None,
        created_at=at,
        started_at=None,
        stopped_at=None,
        attempts=(),
        max_attempts=2,
        exit_code=None,
        container_reason=None,
        log_stream=None,
        container_instance=None,
        vcpus=sizes[number % len(sizes)],
        memory_mib=4096,
        gpus=None,
        flow=f"Flow{flow}",
        step=f"step{number % _STEPS}",
        # Of a job that fails, what becomes of its run is not measured here.
        run_id=None if number % 50 == 0 else f"sfn-{load.seed}-{number // _JOBS_OF_A_RUN}",
        owner=f"owner{flow % _OWNERS}",
        array_size=None,
        cancelled=False,
        terminated=False,
    )
