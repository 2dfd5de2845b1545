"""From a Batch job as AWS describes it, in an event or in an answer, to our event."""

from datetime import UTC

from ops_platform.domain import aws_documents as aws
from ops_platform.domain.aws_values import either, moment, number, words
from ops_platform.domain.events import Attempt, Event, JobEvent
from ops_platform.domain.identity import arn_tail, run_id

STEP_FUNCTIONS_USER = "SFN"
_NO_PARAMETERS = aws.Parameters()
_NO_CONTAINER = aws.Container()
_NO_ATTEMPT = Attempt()


def job_event(seen: Event, job: aws.Job, *, tag_owner: str | None, blocked: bool) -> JobEvent:
    """Return the job as it was when it was seen; ``tag_owner`` is that of the run's tag."""
    parameters = job.parameters or _NO_PARAMETERS
    container = job.container or _NO_CONTAINER
    needs = {need.type: need.value for need in container.resource_requirements or ()}
    attempts = tuple(map(_attempt, job.attempts)) if job.attempts else ()
    last = attempts[-1] if attempts else _NO_ATTEMPT
    interactive = parameters.user != STEP_FUNCTIONS_USER
    return JobEvent(
        id=seen.id,
        time=seen.time.astimezone(UTC),
        aws_account_id=seen.aws_account_id,
        region=seen.region,
        job_id=job.job_id,
        job_name=job.job_name,
        queue=arn_tail(job.job_queue),
        definition=arn_tail(job.job_definition),
        status=job.status,
        blocked=blocked,
        status_reason=words(job.status_reason),
        created_at=moment(job.created_at),
        started_at=moment(job.started_at),
        stopped_at=moment(job.stopped_at),
        attempts=attempts,
        max_attempts=job.retry_strategy.attempts if job.retry_strategy else None,
        exit_code=either(container.exit_code, last.exit_code),
        container_reason=either(words(container.reason), last.reason),
        log_stream=either(container.log_stream_name, last.log_stream),
        container_instance=either(container.container_instance_arn, last.container_instance),
        vcpus=either(number(needs.get("VCPU"), float), container.vcpus),
        memory_mib=either(number(needs.get("MEMORY"), int), container.memory),
        gpus=number(needs.get("GPU"), int),
        flow=parameters.flow,
        step=parameters.step,
        run_id=_metaflow_run(parameters),
        owner=tag_owner or parameters.owner or (parameters.user if interactive else None),
        array_size=job.array_properties.size if job.array_properties else None,
        cancelled=bool(job.is_cancelled),
        terminated=bool(job.is_terminated),
        task_id=parameters.task_id if interactive else None,
        retry=number(parameters.retry, int) if interactive else None,
    )


def _attempt(attempt: aws.Attempt) -> Attempt:
    container = attempt.container or _NO_CONTAINER
    return Attempt(
        started_at=moment(attempt.started_at),
        stopped_at=moment(attempt.stopped_at),
        exit_code=container.exit_code,
        reason=words(container.reason) or words(attempt.status_reason),
        log_stream=container.log_stream_name,
        container_instance=container.container_instance_arn,
    )


def _metaflow_run(parameters: aws.Parameters) -> str | None:
    # Under Step Functions the parameter is the execution's name; elsewhere the run id itself.
    if parameters.run and parameters.user == STEP_FUNCTIONS_USER:
        return run_id(parameters.run)
    return parameters.run
