"""SubmitJob: a registered job definition with the overrides of the request applied."""

from collections.abc import Mapping
from typing import Any

from moto.batch.models import JobDefinition

from ops_platform.embedded.aws.batch.model import ExitRule, JobSpec
from ops_platform.embedded.aws.batch.queues import Queue

Request = Mapping[str, Any]


def read_submission(request: Request, definition: JobDefinition, queue: Queue) -> JobSpec:
    """Return what is to run.

    Args:
        request: The body of SubmitJob.
        definition: The job definition as moto holds it.
        queue: The job queue.
    """
    properties = definition.container_properties or {}
    overrides = request.get("containerOverrides") or {}
    environment = _pairs(properties) | _pairs(overrides)
    resources = _resources(properties) | _resources(overrides)
    parameters = {**definition.parameters, **(request.get("parameters") or {})}
    command = overrides.get("command") or properties.get("command") or []
    retry: Request = request.get("retryStrategy") or _as_request(definition.retry_strategy)
    timeout: Request = request.get("timeout") or _as_request(definition.timeout)
    return JobSpec(
        name=request["jobName"],
        queue_name=queue.name,
        queue_arn=queue.arn,
        definition_name=definition.name,
        definition_arn=definition.arn,
        command=tuple(_substitute(part, parameters) for part in command),
        container=_container(properties, command, environment, resources),
        environment=environment,
        parameters=parameters,
        vcpus=float(resources.get("VCPU", "1")),
        memory=int(resources.get("MEMORY", "512")),
        gpus=int(resources.get("GPU", "0")),
        attempts=int(retry.get("attempts") or 1),
        exit_rules=tuple(_exit_rule(rule) for rule in retry.get("evaluateOnExit", ())),
        timeout_seconds=timeout.get("attemptDurationSeconds"),
        depends_on=tuple(on["jobId"] for on in request.get("dependsOn") or () if "jobId" in on),
        tags=dict(request.get("tags") or {}),
        propagate_tags=bool(request.get("propagateTags") or definition.propagate_tags),
        share=request.get("shareIdentifier"),
    )


def _as_request(given: Request | None) -> Request:
    return given or {}


def _pairs(properties: Request) -> dict[str, str]:
    return {e["name"]: str(e["value"]) for e in properties.get("environment") or ()}


def _resources(properties: Request) -> dict[str, str]:
    """The list of resource requirements wins over the two old fields."""
    old = {"VCPU": properties.get("vcpus"), "MEMORY": properties.get("memory")}
    listed = {r["type"]: str(r["value"]) for r in properties.get("resourceRequirements") or ()}
    return {kind: str(value) for kind, value in old.items() if value is not None} | listed


def _container(
    properties: Request,
    command: list[str],
    environment: Mapping[str, str],
    resources: Mapping[str, str],
) -> dict[str, object]:
    shown = ("volumes", "mountPoints", "ulimits", "secrets")
    container: dict[str, object] = {name: properties.get(name) or [] for name in shown}
    for name in ("image", "jobRoleArn", "executionRoleArn", "logConfiguration"):
        if name in properties:
            container[name] = properties[name]
    return container | {
        "command": list(command),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "resourceRequirements": [
            {"type": kind, "value": value} for kind, value in resources.items()
        ],
    }


def _substitute(part: str, parameters: Mapping[str, str]) -> str:
    """Batch replaces an argument that is a whole ``Ref::name``."""
    name = part.removeprefix("Ref::")
    return parameters.get(name, part) if name != part else part


def _exit_rule(rule: Request) -> ExitRule:
    return ExitRule(
        action=rule["action"].upper(),
        on_status_reason=rule.get("onStatusReason", "*"),
        on_reason=rule.get("onReason", "*"),
        on_exit_code=rule.get("onExitCode", "*"),
    )
