"""A state machine as Metaflow compiles it: its steps, what they ask for, and what code they run.

Read from the JSON of the definition (Metaflow's ``step_functions.py``). It holds the environment of
containers, secrets among them, so of that only what is named here leaves this module.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from ops_platform.domain.errors import PlatformError

Fields = Mapping[str, Any]
"""An object of JSON: a stranger's, so what is in it is asked for kindly."""

_SUBMIT = re.compile(r"arn:aws[a-z-]*:states:::batch:submitJob(\.sync)?")
_DEEPEST = 100
_BATCH_OPTIONS = re.compile(r"--with '?batch:([^']*)")
_IMAGE = re.compile(r"(?:^|,)image=([^,']+)")
_SIZE_KINDS = ("VCPU", "MEMORY", "GPU")


class DefinitionError(PlatformError):
    """A definition is not one that Metaflow compiled."""


@dataclass(frozen=True)
class Step:
    """A step as the state that submits its job to Batch; memory is in MiB."""

    name: str
    parameters: Fields

    @property
    def queue(self) -> str:
        """The queue that its jobs wait in: a name or an ARN."""
        return str(self.parameters.get("JobQueue", ""))

    @property
    def job_definition(self) -> str:
        """The ARN of its job definition, with the revision."""
        return str(self.parameters.get("JobDefinition", ""))

    @property
    def tags(self) -> Fields:
        """What Metaflow tells Batch of the job: flow, owner, versions."""
        return _object(self.parameters.get("Parameters"))

    @property
    def job_tags(self) -> Mapping[str, str]:
        """The tags that Batch is to put on the job; a name that ends in ``.$`` is filled in."""
        tags = _object(self.parameters.get("Tags"))
        return {name: str(value) for name, value in tags.items()}

    @property
    def command(self) -> str:
        """The shell script that it runs."""
        words = self._overrides.get("Command")
        return str(words[-1]) if isinstance(words, list) and words else ""

    @property
    def image(self) -> str | None:
        """The container image, as the command hands it on to the step."""
        options = _BATCH_OPTIONS.search(self.command)
        found = _IMAGE.search(options.group(1)) if options else None
        return found.group(1) if found else None

    @property
    def sizes(self) -> tuple[float, int, int]:
        """The vCPUs, memory and GPUs that it asks for."""
        asked = dict.fromkeys(_SIZE_KINDS, 0.0)
        for each in _objects(self._overrides.get("ResourceRequirements")):
            asked[str(each.get("Type"))] = _number(each.get("Value"))
        return asked["VCPU"], int(asked["MEMORY"]), int(asked["GPU"])

    @property
    def attempts(self) -> int:
        """How often Batch tries at most."""
        return int(_number(_object(self.parameters.get("RetryStrategy")).get("Attempts")))

    @property
    def timeout(self) -> int:
        """How long one attempt may take, in seconds."""
        limit = _object(self.parameters.get("Timeout"))
        return int(_number(limit.get("AttemptDurationSeconds")))

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """Its variables: a value, or the path of one that is computed when it runs. Secret."""
        entries = _objects(self._overrides.get("Environment"))
        return {
            str(each.get("Name")): str(each.get("Value", each.get("Value.$", "")))
            for each in entries
        }

    @property
    def _overrides(self) -> Fields:
        return _object(self.parameters.get("ContainerOverrides"))


@dataclass(frozen=True)
class Definition:
    """A state machine's definition; ``document`` is all of it."""

    document: Fields
    steps: tuple[Step, ...]

    @property
    def start(self) -> Step:
        """The step that begins, which carries what is told of the flow as a whole."""
        wanted = self.document.get("StartAt")
        return next((step for step in self.steps if step.name == wanted), self.steps[0])


def read_machine(text: str) -> Definition:
    """Read a definition.

    Raises:
        DefinitionError: It is no JSON, or holds no step of Metaflow's.
    """
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DefinitionError(f"The definition is no JSON: {error}.") from None
    steps = tuple(_steps(_object(document), 0))
    if not steps or "metaflow.flow_name" not in steps[0].tags:
        raise DefinitionError("The definition was not compiled by Metaflow: it has no step of it.")
    return Definition(document, steps)


def _steps(machine: Fields, depth: int) -> Iterator[Step]:
    if depth > _DEEPEST:
        raise DefinitionError("The definition is nested too deeply.")
    for name, state in _object(machine.get("States")).items():
        yield from _of_state(name, _object(state), depth)


def _of_state(name: str, state: Fields, depth: int) -> Iterator[Step]:
    if _SUBMIT.fullmatch(str(state.get("Resource", ""))):
        yield Step(name, _object(state.get("Parameters")))
    for inner in (
        state.get("Iterator"),
        state.get("ItemProcessor"),
        *_objects(state.get("Branches")),
    ):
        yield from _steps(_object(inner), depth + 1)


def _object(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Fields]:
    return [_object(each) for each in value] if isinstance(value, list) else []


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
