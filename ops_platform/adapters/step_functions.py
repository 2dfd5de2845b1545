"""The state machines of one account, read to learn which flow each of them runs."""

from typing import TYPE_CHECKING

import msgspec

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.domain.ports import Machine

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_GONE = frozenset({"StateMachineDoesNotExist", "InvalidArn"})


class StepFunctionsMachines:
    """The Step Functions API, as far as we read it; fulfils `StateMachines`."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def describe(self, arn: str) -> Machine | None:
        """Return the machine as it is deployed now, or None if it is gone."""
        try:
            with explained(f"read the state machine {arn}"):
                answer = self._client.describe_state_machine(stateMachineArn=arn)
        except AwsError as error:
            if error.code in _GONE:
                return None
            raise
        return read_definition(arn, answer["definition"])


class _Parameters(msgspec.Struct, frozen=True):
    """The parameters of a Batch job. The production token is among them and never decoded."""

    owner: str | None = msgspec.field(name="metaflow.owner")
    flow: str | None = msgspec.field(name="metaflow.flow_name", default=None)


class _Variable(msgspec.Struct, frozen=True):
    name: str = msgspec.field(name="Name", default="")
    # Values are mostly strings; a value computed at run time has another key.
    value: str = msgspec.field(name="Value", default="")


class _Container(msgspec.Struct, frozen=True):
    environment: list[_Variable] = msgspec.field(name="Environment", default_factory=list)


class _Job(msgspec.Struct, frozen=True):
    parameters: _Parameters = msgspec.field(name="Parameters")
    container: _Container = msgspec.field(name="ContainerOverrides", default_factory=_Container)


class _State(msgspec.Struct, frozen=True):
    job: _Job = msgspec.field(name="Parameters")


class _Definition(msgspec.Struct, frozen=True):
    states: dict[str, msgspec.Raw] = msgspec.field(name="States")
    start_at: str = msgspec.field(name="StartAt", default="start")


def read_definition(arn: str, text: str) -> Machine:
    """Tell a machine of Metaflow's by its first state, as Metaflow itself does.

    The flow is not read from the machine's name, from which it cannot always be recovered.
    """
    try:
        definition = msgspec.json.decode(text, type=_Definition)
        start = msgspec.json.decode(definition.states[definition.start_at], type=_State)
    except (msgspec.DecodeError, KeyError, UnicodeError):
        return Machine(arn=arn, flow=None, owner=None)
    flow = start.job.parameters.flow or _flow_in(start.job.container)
    return Machine(arn=arn, flow=flow, owner=start.job.parameters.owner)


def _flow_in(container: _Container) -> str | None:
    values = (item.value for item in container.environment if item.name == "METAFLOW_FLOW_NAME")
    return next(values, None)
