"""The HTTP API of Step Functions where moto answers less than AWS."""

from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

from ops_platform.embedded.aws.gaps import Gap, Moto

_RESPONSE = "moto.stepfunctions.responses:StepFunctionResponse"
_MAX_EVENTS = 1000


def _stop_execution(response: StepFunctionResponse) -> ActionResult:
    execution: Moto = _execution(response)
    error, cause = _text(response, "error"), _text(response, "cause")
    execution.stop(stop_date=None, error=error, cause=cause)
    return ActionResult({"stopDate": execution.stop_date})


def _describe_execution(response: StepFunctionResponse) -> ActionResult:
    execution: Moto = _execution(response)
    described = execution.to_describe_output()
    described["input"] = execution.execution_input
    described["redriveCount"] = 0
    return ActionResult({name: value for name, value in described.items() if value is not None})


def _list_executions(response: StepFunctionResponse) -> ActionResult:
    machine = _backend(response).describe_state_machine(_text(response, "stateMachineArn"))
    wanted = _text(response, "statusFilter")
    found = [e for e in machine.executions if wanted in {None, e.status}]
    found.sort(key=lambda execution: execution.stop_date or execution.start_date, reverse=True)
    start, end = _page(response, default=100)
    items = [_without_none(execution.to_execution_list_item()) for execution in found[start:end]]
    return ActionResult({"executions": items} | _next(end, len(found)))


def _get_execution_history(response: StepFunctionResponse) -> ActionResult:
    events = _execution(response).to_history_output()["events"]
    if response._get_param("reverseOrder"):  # noqa: SLF001
        events.reverse()
    start, end = _page(response, default=_MAX_EVENTS)
    return ActionResult({"events": events[start:end]} | _next(end, len(events)))


def _execution(response: StepFunctionResponse) -> Moto:
    return _backend(response).describe_execution(_text(response, "executionArn"))


def _backend(response: StepFunctionResponse) -> Moto:
    return response.stepfunction_backend


def _text(response: StepFunctionResponse, name: str) -> str | None:
    value = response._get_param(name)  # noqa: SLF001
    return None if value is None else str(value)


def _page(response: StepFunctionResponse, *, default: int) -> tuple[int, int]:
    size = int(_text(response, "maxResults") or 0) or default
    start = int(_text(response, "nextToken") or 0)
    return start, start + size


def _next(end: int, total: int) -> dict[str, str]:
    return {"nextToken": str(end)} if end < total else {}


def _without_none(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}


API_GAPS = [
    Gap(f"{_RESPONSE}.stop_execution", "moto drops error and cause.", _stop_execution),
    Gap(
        f"{_RESPONSE}.describe_execution",
        "moto gives no stopDate for TIMED_OUT.",
        _describe_execution,
    ),
    Gap(
        f"{_RESPONSE}.list_executions",
        "moto sorts ended executions by their start, AWS by their end.",
        _list_executions,
    ),
    Gap(
        f"{_RESPONSE}.get_execution_history",
        "moto knows neither pages nor the reverse order.",
        _get_execution_history,
    ),
]
