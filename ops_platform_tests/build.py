"""Builders with sensible defaults: events, the state they add up to, and messages as they arrive.

``body`` turns an event into the EventBridge envelope that parses to exactly this event.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ops_platform.domain.aws_values import millis
from ops_platform.domain.events import Attempt, Event, ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.domain.incidents import Incident, Kind, State, Tally
from ops_platform.domain.lifecycle import Execution, Job
from ops_platform.domain.routes import Routing, Stage

ACCOUNT_ID = "222222222222"
ACCOUNT = "production"
ACCOUNTS = {ACCOUNT_ID: ACCOUNT, "111111111111": "staging"}
REGION = "eu-west-1"
RUN = "6f0c2f4e-5d1b-4f7a-9a43-0c8a7f6d1e21"
MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:fraud.prod.TrainFlow"
# Somebody else's: neither its name nor the input of its executions is Metaflow's.
FOREIGN: dict[str, Any] = {
    "machine_arn": f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:nightly-etl",
    "metaflow_input": False,
}
EXECUTION_ARN = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:execution:fraud.prod.TrainFlow:{RUN}"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TASK_EXITED = "Essential container in task exited"

_JOB = JobEvent(
    id="job-event",
    time=NOON,
    aws_account_id=ACCOUNT_ID,
    region=REGION,
    job_id="5b0e9d3c-job",
    job_name="SFN-TrainFlow--work--",
    queue="flows",
    definition="metaflow_9f2c:1",
    status="RUNNABLE",
    blocked=False,
    status_reason=None,
    created_at=NOON,
    started_at=None,
    stopped_at=None,
    attempts=(),
    max_attempts=3,
    exit_code=None,
    container_reason=None,
    log_stream=None,
    container_instance=None,
    vcpus=1.0,
    memory_mib=4096,
    gpus=None,
    flow="TrainFlow",
    step="work",
    run_id=f"sfn-{RUN}",
    owner="ana",
    array_size=None,
    cancelled=False,
    terminated=False,
)
_EXECUTION = ExecutionEvent(
    id="execution-event",
    time=NOON,
    aws_account_id=ACCOUNT_ID,
    region=REGION,
    execution_arn=EXECUTION_ARN,
    machine_arn=MACHINE_ARN,
    name=RUN,
    status="RUNNING",
    started_at=NOON,
    stopped_at=None,
    redriven_at=None,
    error=None,
    cause=None,
    metaflow_input=True,
)
_INSTANCE = InstanceEvent(
    id="instance-event",
    time=NOON,
    aws_account_id=ACCOUNT_ID,
    region=REGION,
    instance_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT_ID}:container-instance/flows_Batch/9c1e",
    ec2_instance_id="i-0a1b2c3d4e5f60718",
    cluster="flows_Batch",
    status="ACTIVE",
    version=1,
    agent_connected=True,
    instance_type="m5.xlarge",
    availability_zone="eu-west-1a",
    cpu_units=4096,
    memory_mib=15_564,
)
_INCIDENT = Incident(
    id="0123456789abcdef",
    account=ACCOUNT,
    flow="TrainFlow",
    run_id=f"sfn-{RUN}",
    execution_arn=EXECUTION_ARN,
    machine_arn=MACHINE_ARN,
    kind=Kind.RUN_FAILED,
    state=State.OPEN,
    owner="ana",
    project="fraud",
    branch="prod",
    started_at=NOON,
    opened_at=NOON,
    failed_jobs=2,
    collateral_jobs=9,
    steps={"work": Tally(failed=2, collateral=9, succeeded=1)},
    reason="user exception",
    error="Essential container in task exited; exit code 1",
    step="work",
    job_id="5b0e9d3c-job",
    log_stream="metaflow_9f2c/default/1",
    failing="5d0c",
)
ROUTING = Routing(
    routes=(),
    channels={"production": "#alerts-production", "staging": "#alerts-staging"},
    stages={"production": Stage.PRODUCTION, "staging": Stage.STAGING},
)


def after(seconds: float) -> datetime:
    """Return the moment so many seconds past noon."""
    return NOON + timedelta(seconds=seconds)


def a_job_event(**changes: Any) -> JobEvent:
    """Return an event of a job that waits in its queue, with changes."""
    return msgspec.structs.replace(_JOB, **changes)


def an_execution_event(**changes: Any) -> ExecutionEvent:
    """Return an event of an execution that has begun, with changes."""
    return msgspec.structs.replace(_EXECUTION, **changes)


def a_failure(stop: float = 60, **changes: Any) -> ExecutionEvent:
    """Return the event of an execution that failed so many seconds past noon, with changes."""
    ended: dict[str, Any] = {"id": "failure", "status": "FAILED", "error": "States.TaskFailed"}
    moments = {"time": after(int(stop)), "stopped_at": after(stop)}
    return an_execution_event(**(ended | moments | changes))


def an_instance_event(**changes: Any) -> InstanceEvent:
    """Return an event of an instance that has just registered, with changes."""
    return msgspec.structs.replace(_INSTANCE, **changes)


def a_failed_job(job_id: str = "failed", *, stop: float = 30, **changes: Any) -> Job:
    """Return a job whose container exited with 1 so many seconds past noon, with changes."""
    ended: dict[str, Any] = {"status": "FAILED", "status_reason": TASK_EXITED, "exit_code": 1}
    moments = {"time": after(int(stop)), "stopped_at": after(stop)}
    return Job(ACCOUNT, a_job_event(job_id=job_id, **(ended | moments | changes)))


def a_failed_execution(stop: float = 60, **changes: Any) -> Execution:
    """Return an execution that failed so many seconds past noon, with changes."""
    failure = a_failure(stop, **changes)
    return Execution(ACCOUNT, failure, failure)


def an_incident(**changes: Any) -> Incident:
    """Return the incident of a run with two root failures, with changes."""
    return msgspec.structs.replace(_INCIDENT, **changes)


def bodies(events: Iterable[Event]) -> list[bytes]:
    """Return the messages that bring these events."""
    return list(map(body, events))


def body(event: Event) -> bytes:
    """Return the message that brings this event."""
    match event:
        case JobEvent():
            kind = "Batch Job Queue Blocked" if event.blocked else "Batch Job State Change"
            return envelope(event, kind, _job_detail(event))
        case ExecutionEvent():
            kind = "Step Functions Execution Status Change"
            return envelope(event, kind, _execution_detail(event))
        case InstanceEvent():
            kind = "ECS Container Instance State Change"
            return envelope(event, kind, _instance_detail(event))
        case _:
            raise TypeError(type(event).__name__)


def envelope(event: Event, kind: str, detail: dict[str, Any]) -> bytes:
    """Return EventBridge's envelope around a detail."""
    return msgspec.json.encode(
        {
            "version": "0",
            "id": event.id,
            "detail-type": kind,
            "source": f"aws.{kind.split(maxsplit=1)[0].lower()}",
            "account": event.aws_account_id,
            "time": event.time,
            "region": event.region,
            "resources": [],
            "detail": detail,
        }
    )


def _job_detail(event: JobEvent) -> dict[str, Any]:
    resources = {"VCPU": event.vcpus, "MEMORY": event.memory_mib, "GPU": event.gpus}
    return {
        "jobId": event.job_id,
        "jobName": event.job_name,
        "jobQueue": f"arn:aws:batch:{event.region}:{event.aws_account_id}:job-queue/{event.queue}",
        "jobDefinition": f"arn:aws:batch:::job-definition/{event.definition}",
        "status": event.status,
        "statusReason": event.status_reason,
        "createdAt": millis(event.created_at),
        "startedAt": millis(event.started_at),
        "stoppedAt": millis(event.stopped_at),
        "attempts": list(map(_attempt, event.attempts)),
        "retryStrategy": {"attempts": event.max_attempts},
        "parameters": _parameters(event),
        "container": {
            "exitCode": event.exit_code,
            "reason": event.container_reason,
            "logStreamName": event.log_stream,
            "containerInstanceArn": event.container_instance,
            "environment": [{"name": "METAFLOW_SERVICE_HEADERS", "value": "a secret"}],
            "resourceRequirements": [
                {"type": kind, "value": str(value)} for kind, value in resources.items() if value
            ],
        },
        "arrayProperties": {"size": event.array_size},
        "isCancelled": event.cancelled,
        "isTerminated": event.terminated,
    }


def _parameters(event: JobEvent) -> dict[str, str | None]:
    run = event.run_id
    return {
        "metaflow.user": "SFN" if run and run.startswith("sfn-") else None,
        "metaflow.owner": event.owner,
        "metaflow.flow_name": event.flow,
        "metaflow.step_name": event.step,
        "metaflow.run_id": run and run.removeprefix("sfn-"),
        "metaflow.task_id": event.task_id,
        "metaflow.retry_count": event.retry if event.retry is None else str(event.retry),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "container": {
            "exitCode": attempt.exit_code,
            "logStreamName": attempt.log_stream,
            "containerInstanceArn": attempt.container_instance,
        },
        "startedAt": millis(attempt.started_at),
        "stoppedAt": millis(attempt.stopped_at),
        "statusReason": attempt.reason,
    }


def _execution_detail(event: ExecutionEvent) -> dict[str, Any]:
    return {
        "executionArn": event.execution_arn,
        "stateMachineArn": event.machine_arn,
        "name": event.name,
        "status": event.status,
        "startDate": millis(event.started_at),
        "stopDate": millis(event.stopped_at),
        "redriveDate": millis(event.redriven_at),
        "error": event.error,
        "cause": event.cause,
        "input": '{"Parameters": "{}"}' if event.metaflow_input else '{"order": 7}',
    }


def _instance_detail(event: InstanceEvent) -> dict[str, Any]:
    attributes = {
        "ecs.instance-type": event.instance_type,
        "ecs.availability-zone": event.availability_zone,
    }
    registered = {"CPU": event.cpu_units, "MEMORY": event.memory_mib}
    return {
        "containerInstanceArn": event.instance_arn,
        "clusterArn": f"arn:aws:ecs:{event.region}:{event.aws_account_id}:cluster/{event.cluster}",
        "ec2InstanceId": event.ec2_instance_id,
        "status": event.status,
        "version": event.version,
        "agentConnected": event.agent_connected,
        "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
        "registeredResources": [
            {"name": name, "integerValue": value} for name, value in registered.items()
        ],
    }
