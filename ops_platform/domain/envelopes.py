"""From the body of a message to an event: ``parse`` is the only way in.

One entry of ``_Envelope``'s subclasses is one kind of event: EventBridge's ``detail-type`` chooses
among them while decoding. Whatever does not fit comes back as ``Rejected``, whole.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from ops_platform.domain import aws_documents as aws
from ops_platform.domain.aws_values import clip, moment, storable
from ops_platform.domain.events import Event, ExecutionEvent, InstanceEvent, JobEvent, Rejected
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.job_events import job_event
from ops_platform.domain.owner_tag import may_name_owner, owner_in
from ops_platform.domain.redaction import redact

# A job's description, bare or quoted within another text.
_DOCUMENT = re.compile(r'\A\s*\{|"Environment\\*"')


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="detail-type"):
    id: aws.Key
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}\Z")]
    region: aws.Name

    def event(self, _body: bytes) -> Event:
        """Return the event this envelope carries; the body is all of it, as it came."""
        raise NotImplementedError


class _JobStateChange(_Envelope, frozen=True, kw_only=True, tag="Batch Job State Change"):
    detail: aws.Job

    def event(self, _body: bytes) -> Event:
        return _job_event(self, self.detail, _body, blocked=False)


class _JobQueueBlocked(_Envelope, frozen=True, kw_only=True, tag="Batch Job Queue Blocked"):
    detail: aws.Job

    def event(self, _body: bytes) -> Event:
        return _job_event(self, self.detail, _body, blocked=True)


class _ExecutionChange(
    _Envelope, frozen=True, kw_only=True, tag="Step Functions Execution Status Change"
):
    detail: aws.Execution

    def event(self, _body: bytes) -> Event:
        return _execution_event(self, self.detail)


class _InstanceChange(
    _Envelope, frozen=True, kw_only=True, tag="ECS Container Instance State Change"
):
    detail: aws.Instance

    def event(self, _body: bytes) -> Event:
        return _instance_event(self, self.detail)


_decode = msgspec.json.Decoder(
    _JobStateChange | _JobQueueBlocked | _ExecutionChange | _InstanceChange
).decode
_decode_command = msgspec.json.Decoder(aws.Commanded).decode
_decode_cause = msgspec.json.Decoder(aws.Cause).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def parse(body: bytes) -> Event | Rejected:
    """Return the event in an EventBridge envelope, or the body with the reason it is none."""
    text = storable(body)
    try:
        envelope: _Envelope = _decode(text)
        return envelope.event(text)
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        return Rejected(body=body, error=_reason(text, error))


def _reason(text: bytes, error: Exception) -> str:
    if not text.strip():
        return "The message is empty."
    return f"{error} ({type(error).__name__})"


def _job_event(envelope: _Envelope, job: aws.Job, body: bytes, *, blocked: bool) -> JobEvent:
    seen = Event(envelope.id, envelope.time, envelope.account, envelope.region)
    # The commands, of several kilobytes, are read only where one of them may name an owner.
    tag_owner = _tag_owner(body) if may_name_owner(body) else None
    return job_event(seen, job, tag_owner=tag_owner, blocked=blocked)


def _tag_owner(body: bytes) -> str | None:
    try:
        container = _decode_command(body).detail.container
    except msgspec.DecodeError:  # no list of texts: AWS's schema has a new form
        return None
    return owner_in(container.command or ()) if container else None


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
        started_at=moment(execution.start_date),
        stopped_at=moment(execution.stop_date),
        redriven_at=moment(execution.redrive_date),
        error=shown(execution.error),
        cause=shown_cause(execution.cause),
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
        instance_type=clip(attributes.get("ecs.instance-type")),
        availability_zone=clip(attributes.get("ecs.availability-zone")),
        cpu_units=registered.get("CPU"),
        memory_mib=registered.get("MEMORY"),
    )


def shown(text: str | None) -> str | None:
    """Return of a text what may be shown, and is worth keeping."""
    return clip(text and redact(text))


def shown_cause(cause: str | None) -> str | None:
    """Return of a cause what may be shown: a failed job's document also holds its environment."""
    if cause is None or not _DOCUMENT.search(cause):
        return shown(cause)
    try:
        found = _decode_cause(cause)
    except (msgspec.DecodeError, RecursionError):  # cut off at 32,768 characters, or quoted
        return "A Batch job failed; its description was cut off."
    # The document is a text within a text, whose own escapes `storable` could not see.
    return shown(found.status_reason and found.status_reason.replace("\x00", "\ufffd"))


def _is_metaflow_input(text: str | None) -> bool:
    """Tell Metaflow's own input, an object whose ``Parameters`` is a JSON text, from others."""
    try:
        given = _decode_object(text or "")
    except (msgspec.DecodeError, RecursionError):
        return False
    return set(given) == {"Parameters"} and bytes(given["Parameters"]).startswith(b'"')
