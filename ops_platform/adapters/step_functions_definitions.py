"""The definition of a state machine, read for the flow's name and owner alone."""

from collections.abc import Sequence

import msgspec

from ops_platform.domain.owner_tag import owner_in
from ops_platform.domain.ports import Machine


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
    # Decoded apart: a command of another shape is no reason to take the machine for a foreign one.
    command: msgspec.Raw = msgspec.field(name="Command", default_factory=lambda: msgspec.Raw(b"[]"))


class _Job(msgspec.Struct, frozen=True):
    parameters: _Parameters = msgspec.field(name="Parameters")
    container: _Container = msgspec.field(name="ContainerOverrides", default_factory=_Container)


class _State(msgspec.Struct, frozen=True):
    job: _Job = msgspec.field(name="Parameters")


class _Definition(msgspec.Struct, frozen=True):
    states: dict[str, msgspec.Raw] = msgspec.field(name="States")
    start_at: str = msgspec.field(name="StartAt", default="start")


def read_definition(arn: str, text: str, *, revision: str | None = None) -> Machine:
    """Tell a machine of Metaflow's by its first state, as Metaflow itself does.

    The flow is not read from the machine's name, from which it cannot always be recovered. Of the
    command that the first state runs, the owner that a tag names is all that is kept.
    """
    try:
        definition = msgspec.json.decode(text, type=_Definition)
        start = msgspec.json.decode(definition.states[definition.start_at], type=_State)
    except (msgspec.DecodeError, KeyError, UnicodeError):
        return Machine(arn=arn, flow=None, owner=None, revision=revision)
    parameters, container = start.job.parameters, start.job.container
    return Machine(
        arn=arn,
        flow=parameters.flow or _flow_in(container),
        owner=owner_in(_command(container)) or parameters.owner,
        revision=revision,
    )


def _flow_in(container: _Container) -> str | None:
    values = (item.value for item in container.environment if item.name == "METAFLOW_FLOW_NAME")
    return next(values, None)


def _command(container: _Container) -> Sequence[str]:
    try:
        return msgspec.json.decode(container.command, type=list[str])
    except (msgspec.DecodeError, UnicodeError):
        return ()
