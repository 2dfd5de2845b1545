"""The events of one run of a wide foreach, as EventBridge delivers them.

Complete envelopes of realistic size, about ten a job, in the order they happen; the same for the
same `Load`, whenever and wherever it is made.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

REGION = "eu-west-1"
_SLOTS = 100  # Metaflow's default for how many tasks of a foreach run at once
_SLOT_SECONDS = 120
# So many attempts make 7, 10 and 13 events, ten on average.
_ATTEMPTS = (2, 3, 4)
_END = "Essential container in task exited"
_TASK = f"arn:aws:ecs:{REGION}:222222222222:task/AWSBatch-flows"
_INSTANCE = f"arn:aws:ecs:{REGION}:222222222222:container-instance/AWSBatch-flows"


@dataclass(frozen=True, slots=True)
class Load:
    """One run: a start task, ``width`` tasks of a foreach, and a join if none of them fails."""

    width: int
    seed: int = 0
    failing: int = 20
    account: str = "222222222222"
    flow: str = "WideFlow"
    started: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class _Moment(NamedTuple):
    """One state a job enters; sorts by time, then by job and attempt."""

    millis: int
    job: "_Job"
    attempt: int
    status: str


class _Job(NamedTuple):
    """One task of the flow, with the times of its attempts in milliseconds."""

    number: int
    step: str
    job_id: str
    created: int
    attempts: tuple[tuple[int, int], ...]
    fails: bool


def run_events(load: Load) -> Iterator[bytes]:
    """Yield the envelopes of the run in the order of their times."""
    rng = random.Random(load.seed)
    name = str(_uuid(rng))
    begin = int(load.started.timestamp() * 1000)
    jobs = list(_jobs(load, rng, begin))
    moments = sorted(moment for job in jobs for moment in _moments(job, rng))
    yield _envelope(load, rng, begin, _EXECUTION, _execution(load, name, begin, stopped=None))
    for moment in moments:
        detail = _job_detail(load, name, moment)
        yield _envelope(load, rng, moment.millis, "Batch Job State Change", detail)
    stopped = moments[-1].millis + 500
    yield _envelope(load, rng, stopped, _EXECUTION, _execution(load, name, begin, stopped=stopped))


_EXECUTION = "Step Functions Execution Status Change"


def _jobs(load: Load, rng: random.Random, begin: int) -> Iterator[_Job]:
    yield _job(rng, number=0, step="start", created=begin, attempts=1, fails=False)
    failing = set(rng.sample(range(1, load.width + 1), min(load.failing, load.width)))
    for number in range(1, load.width + 1):
        created = begin + 60_000 + (number - 1) // _SLOTS * _SLOT_SECONDS * 1000
        attempts = _ATTEMPTS[number % len(_ATTEMPTS)]
        fails = number in failing
        created += rng.randrange(20_000)
        yield _job(rng, number=number, step="work", created=created, attempts=attempts, fails=fails)
    if not failing:
        created += _SLOT_SECONDS * 10_000
        yield _job(rng, number=0, step="join", created=created, attempts=1, fails=False)


def _job(
    rng: random.Random, *, number: int, step: str, created: int, attempts: int, fails: bool
) -> _Job:
    times, at = [], created
    for _ in range(attempts):
        started = at + rng.randrange(5_000, 20_000)
        at = started + rng.randrange(2_000, 60_000)
        times.append((started, at))
    return _Job(number, step, str(_uuid(rng)), created, tuple(times), fails)


def _moments(job: _Job, rng: random.Random) -> Iterator[_Moment]:
    ready = job.created
    for attempt, (started, stopped) in enumerate(job.attempts):
        yield _Moment(ready, job, attempt, "RUNNABLE")
        yield _Moment(started - rng.randrange(1_000, 4_000), job, attempt, "STARTING")
        yield _Moment(started, job, attempt, "RUNNING")
        ready = stopped
    yield _Moment(ready, job, len(job.attempts), "FAILED" if job.fails else "SUCCEEDED")


def _envelope(
    load: Load, rng: random.Random, millis: int, kind: str, detail: dict[str, Any]
) -> bytes:
    resource = detail.get("jobArn") or detail["executionArn"]
    envelope = {
        "version": "0",
        "id": str(_uuid(rng)),
        "detail-type": kind,
        "source": "aws.states" if kind == _EXECUTION else "aws.batch",
        "account": load.account,
        "time": f"{datetime.fromtimestamp(millis // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }
    return msgspec.json.encode(envelope)


def _execution(load: Load, name: str, begin: int, *, stopped: int | None) -> dict[str, Any]:
    states = f"arn:aws:states:{REGION}:{load.account}"
    final = "FAILED" if load.failing else "SUCCEEDED"
    failure = {"error": "States.TaskFailed", "cause": _END} if load.failing and stopped else {}
    return {
        "executionArn": f"{states}:execution:{load.flow}:{name}",
        "stateMachineArn": f"{states}:stateMachine:{load.flow}",
        "name": name,
        "status": final if stopped else "RUNNING",
        "startDate": begin,
        "stopDate": stopped,
        "input": '{"Parameters": "{}"}',
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
        **failure,
    }


def _job_detail(load: Load, name: str, moment: _Moment) -> dict[str, Any]:
    job, batch = moment.job, f"arn:aws:batch:{REGION}:{load.account}"
    ended = moment.attempt == len(job.attempts)
    running = {"startedAt": job.attempts[min(moment.attempt, len(job.attempts) - 1)][0]}
    over = {"stoppedAt": job.attempts[-1][1], "statusReason": _END}
    return {
        "jobArn": f"{batch}:job/{job.job_id}",
        "jobName": f"SFN-{load.flow}--{job.step}--",
        "jobId": job.job_id,
        "jobQueue": f"{batch}:job-queue/flows",
        "status": moment.status,
        "attempts": [_attempt(job, number) for number in range(moment.attempt)],
        "createdAt": job.created,
        **(running if ended or moment.status == "RUNNING" else {}),
        **(over if ended else {}),
        "retryStrategy": {"attempts": max(_ATTEMPTS), "evaluateOnExit": []},
        "dependsOn": [],
        "jobDefinition": f"{batch}:job-definition/metaflow_{'9f2c' * 14}:1",
        "parameters": _parameters(load, name, job),
        "container": _container(load, name, moment),
        "timeout": {"attemptDurationSeconds": 432_000},
        "tags": {"resourceArn": f"{batch}:job/{job.job_id}"},
        "propagateTags": True,
        "platformCapabilities": ["EC2"],
        "eksAttempts": [],
    }


def _attempt(job: _Job, number: int) -> dict[str, Any]:
    started, stopped = job.attempts[number]
    fails = job.fails or number + 1 < len(job.attempts)
    placed = {**_placement(job, number), "exitCode": int(fails), "networkInterfaces": []}
    times = {"startedAt": started, "stoppedAt": stopped}
    return {"container": placed, **times, "statusReason": _END}


def _placement(job: _Job, attempt: int) -> dict[str, str]:
    mark = f"{job.job_id.replace('-', '')[:30]}{attempt:02}"
    return {
        "containerInstanceArn": f"{_INSTANCE}/{job.number % 40:032x}",
        "taskArn": f"{_TASK}/{mark}",
        "logStreamName": f"metaflow_9f2c/default/{mark}",
    }


def _container(load: Load, name: str, moment: _Moment) -> dict[str, Any]:
    job, last = moment.job, len(moment.job.attempts) - 1
    placed = {} if moment.status == "RUNNABLE" else _placement(job, min(moment.attempt, last))
    exit_code = {"exitCode": int(job.fails)} if moment.attempt > last else {}
    return {
        "image": f"{load.account}.dkr.ecr.{REGION}.amazonaws.com/flows:3.11",
        "command": ["bash", "-c", f"true && mkdir metaflow && cd metaflow && {_COMMAND}"],
        "jobRoleArn": f"arn:aws:iam::{load.account}:role/flows",
        "volumes": [],
        "environment": _environment(load, name, job),
        "mountPoints": [],
        "ulimits": [],
        **placed,
        **exit_code,
        "networkInterfaces": [],
        "resourceRequirements": [
            {"value": "1", "type": "VCPU"},
            {"value": "4096", "type": "MEMORY"},
        ],
        "logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []},
        "secrets": [],
    }


_COMMAND = "python -m flow --quiet --metadata=service --datastore=s3 step work " * 8


def _parameters(load: Load, name: str, job: _Job) -> dict[str, str]:
    return {
        "metaflow.user": "SFN",
        "metaflow.owner": "ana",
        "metaflow.flow_name": load.flow,
        "metaflow.step_name": job.step,
        "metaflow.run_id": name,
        "metaflow.version": "2.19.38",
        "step_name": job.step,
        "split_parent_task_id_start": name,
    }


def _environment(load: Load, name: str, job: _Job) -> list[dict[str, str]]:
    own = {
        "METAFLOW_INPUT_PATHS": f"sfn-{name}/start/{name}",
        "METAFLOW_SPLIT_INDEX": str(job.number),
        "METAFLOW_FLOW_NAME": load.flow,
        "METAFLOW_STEP_NAME": job.step,
        "METAFLOW_RUN_ID": name,
        "SFN_STATE_MACHINE": load.flow,
    }
    return [{"name": key, "value": value} for key, value in (_FIXED | own).items()]


_FIXED = {
    "AWS_DEFAULT_REGION": REGION,
    "METAFLOW_CODE_METADATA": '{"version": 1}',
    "METAFLOW_CODE_SHA": "5f" * 20,
    "METAFLOW_CODE_URL": f"s3://metaflow/data/WideFlow/data/5f/{'5f' * 20}",
    "METAFLOW_CODE_DS": "s3",
    "METAFLOW_USER": "SFN",
    "METAFLOW_SERVICE_URL": "http://metaflow.internal:8080",
    "METAFLOW_SERVICE_HEADERS": '{"x-api-key": "not-a-real-key"}',
    "METAFLOW_DATASTORE_SYSROOT_S3": "s3://metaflow/metaflow",
    "METAFLOW_DATATOOLS_S3ROOT": "s3://metaflow/data",
    "METAFLOW_DEFAULT_DATASTORE": "s3",
    "METAFLOW_DEFAULT_METADATA": "service",
    "METAFLOW_CARD_S3ROOT": "s3://metaflow/metaflow/mf.cards",
    "METAFLOW_RUNTIME_ENVIRONMENT": "aws-batch",
    "METAFLOW_RUNTIME_NAME": "step-functions",
    "METAFLOW_OWNER": "ana",
    "METAFLOW_PRODUCTION_TOKEN": "wideflow-0-abcd",
    "METAFLOW_SFN_DYNAMO_DB_TABLE": "metaflow-state",
    "METAFLOW_VERSION": '{"platform": "Linux", "production_token": "wideflow-0-abcd"}' * 5,
    "USER": "SFN",
}


def _uuid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)
