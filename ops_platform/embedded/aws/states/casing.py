"""Service integrations: parameters and results are in PascalCase, boto's in camelCase."""

import functools
from typing import Literal

import botocore.session
from botocore.model import OperationModel

from ops_platform.embedded.aws.gaps import Gap, Moto

_TASK = (
    "moto.stepfunctions.parser.asl.component.state.exec.state_task.service."
    "state_task_service:StateTaskService"
)


def _normalise_parameters(
    task: Moto, parameters: Moto, boto_service_name: str | None = None, action: str | None = None
) -> None:
    if shape := _shape(task, boto_service_name, action, "input_shape"):
        task._to_boto_request(parameters, shape)  # noqa: SLF001 — moto's own, which it never calls


def _normalise_response(
    task: Moto,
    response: Moto,
    boto_service_name: str | None = None,
    service_action_name: str | None = None,
) -> None:
    if shape := _shape(task, boto_service_name, service_action_name, "output_shape"):
        task._from_boto_response(response, shape)  # noqa: SLF001


def _shape(
    task: Moto,
    service: str | None,
    action: str | None,
    side: Literal["input_shape", "output_shape"],
) -> Moto:
    service_name = task._get_boto_service_name(service)  # noqa: SLF001
    action_name = task._get_boto_service_action(action)  # noqa: SLF001
    return getattr(operation(service_name, action_name), side)


@functools.cache
def operation(service: str, action: str) -> OperationModel:
    """Return botocore's model of an operation, named as Step Functions or boto name it."""
    model = botocore.session.get_session().get_service_model(service)
    names = {name.lower(): name for name in model.operation_names}
    return model.operation_model(names[action.replace("_", "").lower()])


CASING_GAPS = [
    Gap(
        f"{_TASK}._normalise_parameters",
        "moto passes JobDefinition to boto, which knows jobDefinition.",
        _normalise_parameters,
    ),
    Gap(
        f"{_TASK}._normalise_response",
        "moto returns jobId, where a state machine reads JobId.",
        _normalise_response,
    ),
]
