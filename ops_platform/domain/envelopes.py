"""From the body of a message to an event: ``parse`` is the only way in.

One entry of ``_Envelope``'s subclasses is one kind of event: EventBridge's ``detail-type`` chooses
among them while decoding. Whatever does not fit comes back as ``Rejected``, whole.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec

from ops_platform.domain import aws_documents as aws
from ops_platform.domain.events import (
    Attempt,
    Event,
    ExecutionEvent,
    InstanceEvent,
    JobEvent,
    Rejected,
)
from ops_platform.domain.identity import arn_tail, run_id

T = TypeVar("T")
N = TypeVar("N", int, float)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_LIMIT = 2000
NUMBER_LIMIT = 2**31  # of the ledger's integer columns
# A job's description, bare or quoted within another text.
_DOCUMENT = re.compile(r'\A\s*\{|"Environment\\*"')
# Escapes of U+0000 and of halves of surrogate pairs: Postgres stores no text with either, and AWS
# may cut a text within a pair.
_UNSTORABLE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_SUSPECT = (rb"\u0000", rb"\ud", rb"\uD")


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="detail-type"):
    id: aws.Key
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}\Z")]
    region: aws.Name

    def event(self) -> Event:
        """Return the event this envelope carries."""
        raise NotImplementedError


class _JobStateChange(_Envelope, frozen=True, kw_only=True, tag="Batch Job State Change"):
    detail: aws.Job

    def event(self) -> Event:
        return _job_event(self, self.detail, blocked=False)


class _JobQueueBlocked(_Envelope, frozen=True, kw_only=True, tag="Batch Job Queue Blocked"):
    detail: aws.Job

    def event(self) -> Event:
        return _job_event(self, self.detail, blocked=True)


class _ExecutionChange(
    _Envelope, frozen=True, kw_only=True, tag="Step Functions Execution Status Change"
):
    detail: aws.Execution

    def event(self) -> Event:
        return _execution_event(self, self.detail)


class _InstanceChange(
    _Envelope, frozen=True, kw_only=True, tag="ECS Container Instance State Change"
):
    detail: aws.Instance

    def event(self) -> Event:
        return _instance_event(self, self.detail)


_decode = msgspec.json.Decoder(
    _JobStateChange | _JobQueueBlocked | _ExecutionChange | _InstanceChange
).decode
_decode_cause = msgspec.json.Decoder(aws.Cause).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def parse(body: bytes) -> Event | Rejected:
    """Return the event in an EventBridge envelope, or the body with the reason it is none."""
    text = _storable(body)
    try:
        envelope: _Envelope = _decode(text)
        return envelope.event()
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        return Rejected(body=body, error=_reason(text, error))


def _reason(text: bytes, error: Exception) -> str:
    if not text.strip():
        return "The message is empty."
    return f"{error} ({type(error).__name__})"


def _storable(body: bytes) -> bytes:
    """Return the body with the replacement character for what no text can hold."""
    if not any(escape in body for escape in _SUSPECT):
        return body
    return _UNSTORABLE.sub(rb"\1\\ufffd", body)


def _job_event(envelope: _Envelope, job: aws.Job, *, blocked: bool) -> JobEvent:
    parameters = job.parameters or _NO_PARAMETERS
    container = job.container or _NO_CONTAINER
    needs = {need.type: need.value for need in container.resource_requirements or ()}
    attempts = tuple(map(_attempt, job.attempts)) if job.attempts else ()
    last = attempts[-1] if attempts else _NO_ATTEMPT
    return JobEvent(
        id=envelope.id,
        time=envelope.time.astimezone(UTC),
        aws_account_id=envelope.account,
        region=envelope.region,
        job_id=job.job_id,
        job_name=job.job_name,
        queue=arn_tail(job.job_queue),
        definition=arn_tail(job.job_definition),
        status=job.status,
        blocked=blocked,
        status_reason=_clip(job.status_reason),
        created_at=_time(job.created_at),
        started_at=_time(job.started_at),
        stopped_at=_time(job.stopped_at),
        attempts=attempts,
        max_attempts=job.retry_strategy.attempts if job.retry_strategy else None,
        exit_code=_either(container.exit_code, last.exit_code),
        container_reason=_either(_clip(container.reason), last.reason),
        log_stream=_either(container.log_stream_name, last.log_stream),
        container_instance=_either(container.container_instance_arn, last.container_instance),
        vcpus=_either(_number(needs.get("VCPU"), float), container.vcpus),
        memory_mib=_either(_number(needs.get("MEMORY"), int), container.memory),
        gpus=_number(needs.get("GPU"), int),
        flow=parameters.flow,
        step=parameters.step,
        run_id=_metaflow_run(parameters),
        owner=parameters.owner or _person(parameters.user),
        array_size=job.array_properties.size if job.array_properties else None,
        cancelled=bool(job.is_cancelled),
        terminated=bool(job.is_terminated),
    )


def _attempt(attempt: aws.Attempt) -> Attempt:
    container = attempt.container or _NO_CONTAINER
    return Attempt(
        started_at=_time(attempt.started_at),
        stopped_at=_time(attempt.stopped_at),
        exit_code=container.exit_code,
        reason=_clip(container.reason) or _clip(attempt.status_reason),
        log_stream=container.log_stream_name,
        container_instance=container.container_instance_arn,
    )


def _execution_event(envelope: _Envelope, execution: aws.Execution) -> ExecutionEvent:
    return ExecutionEvent(
        id=envelope.id,
        time=envelope.time.astimezone(UTC),
        aws_account_id=envelope.account,
        region=envelope.region,
        execution_arn=execution.execution_arn,
        machine_arn=execution.state_machine_arn,
        name=execution.name,
        status=execution.status,
        started_at=_time(execution.start_date),
        stopped_at=_time(execution.stop_date),
        redriven_at=_time(execution.redrive_date),
        error=_clip(execution.error),
        cause=_cause(execution.cause),
        metaflow_input=_is_metaflow_input(execution.input),
    )


def _instance_event(envelope: _Envelope, instance: aws.Instance) -> InstanceEvent:
    attributes = {attribute.name: attribute.value for attribute in instance.attributes}
    registered = {item.name: item.integer_value for item in instance.registered_resources}
    return InstanceEvent(
        id=envelope.id,
        time=envelope.time.astimezone(UTC),
        aws_account_id=envelope.account,
        region=envelope.region,
        instance_arn=instance.container_instance_arn,
        ec2_instance_id=instance.ec2_instance_id,
        cluster=arn_tail(instance.cluster_arn),
        status=instance.status,
        version=instance.version,
        agent_connected=instance.agent_connected,
        instance_type=_clip(attributes.get("ecs.instance-type")),
        availability_zone=_clip(attributes.get("ecs.availability-zone")),
        cpu_units=registered.get("CPU"),
        memory_mib=registered.get("MEMORY"),
    )


_NO_PARAMETERS = aws.Parameters()
_NO_CONTAINER = aws.Container()
_NO_ATTEMPT = Attempt()


def _metaflow_run(parameters: aws.Parameters) -> str | None:
    # Under Step Functions the parameter is the execution's name; elsewhere the run id itself.
    if parameters.run and parameters.user == "SFN":
        return run_id(parameters.run)
    return parameters.run


def _person(user: str | None) -> str | None:
    return None if user == "SFN" else user


def _cause(cause: str | None) -> str | None:
    """Keep of a cause what may be shown: a failed job's document also holds its environment."""
    if cause is None or not _DOCUMENT.search(cause):
        return _clip(cause)
    try:
        found = _decode_cause(cause)
    except (msgspec.DecodeError, RecursionError):  # cut off at 32,768 characters, or quoted
        return "A Batch job failed; its description was cut off."
    # The document is a text within a text, whose own escapes `_storable` could not see.
    return _clip(found.status_reason and found.status_reason.replace("\x00", "\ufffd"))


def _is_metaflow_input(text: str | None) -> bool:
    """Tell Metaflow's own input, an object whose ``Parameters`` is a JSON text, from others."""
    try:
        given = _decode_object(text or "")
    except (msgspec.DecodeError, RecursionError):
        return False
    return set(given) == {"Parameters"} and bytes(given["Parameters"]).startswith(b'"')


def _time(millis: int | None) -> datetime | None:
    return None if millis is None else EPOCH + timedelta(milliseconds=millis)


def _clip(text: str | None) -> str | None:
    return text if text is None or len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def _either(first: T | None, second: T | None) -> T | None:
    return second if first is None else first


def _number(text: str | None, kind: Callable[[str], N]) -> N | None:
    try:
        number = None if text is None else kind(text)
    except ValueError:
        return None
    return number if number is not None and 0 <= number < NUMBER_LIMIT else None
