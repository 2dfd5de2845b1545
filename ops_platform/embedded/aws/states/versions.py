"""State machines as they change: created once, revised, published; moto does little of it.

Source: the API reference of Step Functions. A machine that was never updated has no revision, and
is published as INITIAL; publishing the same revision again gives the same version.
"""

import uuid
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

from ops_platform.embedded.aws.gaps import Gap, Moto, original

_RESPONSE = "moto.stepfunctions.responses:StepFunctionResponse"
_BACKEND = "moto.stepfunctions.parser.models:StepFunctionsParserBackend"
_MACHINE = "moto.stepfunctions.models:StateMachine"
_INITIAL = "INITIAL"
_MOST = 1_000


class _ConflictError(JsonRESTError):
    code = 409

    def __init__(self) -> None:
        super().__init__("ConflictException", "The revision is not the current one.")


class _ExistsError(JsonRESTError):
    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")


class _QuotaError(JsonRESTError):
    code = 402

    def __init__(self) -> None:
        super().__init__(
            "ServiceQuotaExceededException", f"A machine has at most {_MOST} versions."
        )


def _created(create: Moto) -> Moto:
    def create_or_refuse(backend: Moto, name: str, definition: str, **others: Any) -> Moto:  # noqa: ANN401, moto's
        found = next((each for each in backend.state_machines if each.name == name), None)
        # AWS looks at neither the role nor the tags.
        if found is not None and found.definition != definition:
            raise _ExistsError(found.arn)
        return create(backend, name=name, definition=definition, **others)

    return create_or_refuse


def _revised(update: Moto) -> Moto:
    def revise(machine: Moto, **changes: object) -> None:
        update(machine, **changes)
        machine.revision_id = str(uuid.uuid4())

    return revise


def _described(describe: Moto) -> Moto:
    def describe_with_revision(response: StepFunctionResponse, arn: str) -> ActionResult:
        described = describe(response, arn)
        machine = response.stepfunction_backend.describe_state_machine(arn)
        return ActionResult(described.result | _revision(machine))

    return describe_with_revision


def _updated(update: Moto) -> Moto:
    def update_with_revision(response: StepFunctionResponse) -> ActionResult:
        updated = update(response)
        return ActionResult(updated.result | _revision(_machine(response)))

    return update_with_revision


def _publish(response: StepFunctionResponse) -> ActionResult:
    machine = _machine(response)
    wanted = response._get_param("revisionId")  # noqa: SLF001
    if wanted not in {None, getattr(machine, "revision_id", _INITIAL)}:
        raise _ConflictError
    revision = getattr(machine, "revision_id", _INITIAL)
    latest = machine.latest_version
    if latest is None or latest.published_revision != revision:
        if len(machine.versions) >= _MOST:
            raise _QuotaError
        machine.publish(response._get_param("description"))  # noqa: SLF001
        latest = machine.latest_version
        latest.published_revision = revision
        if revision != _INITIAL:
            latest.revision_id = revision
    answer = {"creationDate": latest.creation_date, "stateMachineVersionArn": latest.arn}
    return ActionResult(answer)


def _list(response: StepFunctionResponse) -> ActionResult:
    found = sorted(_machine(response).versions.values(), key=lambda each: -each.version)
    listed = [
        {"stateMachineVersionArn": each.arn, "creationDate": each.creation_date} for each in found
    ]
    return ActionResult({"stateMachineVersions": listed})


def _delete(response: StepFunctionResponse) -> ActionResult:
    arn, _, number = str(response._get_param("stateMachineVersionArn")).rpartition(":")  # noqa: SLF001
    machine = response.stepfunction_backend.describe_state_machine(arn)
    machine.versions.pop(int(number), None)
    return ActionResult({})


def _for_execution(response: StepFunctionResponse) -> ActionResult:
    execution: Moto = response.stepfunction_backend.describe_execution(
        str(response._get_param("executionArn"))  # noqa: SLF001
    )
    ran: Moto = execution.state_machine
    answer: dict[str, Any] = {
        "stateMachineArn": ran.arn,
        "name": ran.name,
        "definition": ran.definition,
        "roleArn": ran.roleArn,
        "updateDate": ran.update_date,
    }
    return ActionResult(answer | _revision(ran))


def _machine(response: StepFunctionResponse) -> Moto:
    arn = str(response._get_param("stateMachineArn"))  # noqa: SLF001
    return response.stepfunction_backend.describe_state_machine(arn)


def _revision(machine: Moto) -> dict[str, str]:
    revision = getattr(machine, "revision_id", None)
    return {"revisionId": revision} if revision else {}


def version_gaps() -> list[Gap]:
    """Return what stands in for moto; to be called before anything is replaced."""
    no_versions = "moto cannot publish versions."
    return [
        Gap(
            f"{_BACKEND}.create_state_machine",
            "moto takes another definition for a machine that is there, and drops it.",
            _created(original(f"{_BACKEND}.create_state_machine")),
        ),
        Gap(
            f"{_MACHINE}.update", "moto has no revisions.", _revised(original(f"{_MACHINE}.update"))
        ),
        Gap(
            f"{_RESPONSE}._describe_state_machine",
            "moto tells no revision.",
            _described(original(f"{_RESPONSE}._describe_state_machine")),
        ),
        Gap(
            f"{_RESPONSE}.update_state_machine",
            "moto tells no revision.",
            _updated(original(f"{_RESPONSE}.update_state_machine")),
        ),
        Gap(
            f"{_RESPONSE}.describe_state_machine_for_execution",
            "moto tells the definition of now, not the one that the execution runs.",
            _for_execution,
        ),
        Gap(f"{_RESPONSE}.publish_state_machine_version", no_versions, _publish, is_new=True),
        Gap(f"{_RESPONSE}.list_state_machine_versions", no_versions, _list, is_new=True),
        Gap(f"{_RESPONSE}.delete_state_machine_version", no_versions, _delete, is_new=True),
    ]
