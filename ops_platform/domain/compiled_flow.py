"""A flow as the real compiler made it for Step Functions, without any account: a stranger's word.

It is what a sandboxed compilation reports, and all that the sanity checks know of a flow's code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from ops_platform.domain.sandboxes import Ended

_Short = Annotated[str, Meta(max_length=1_000)]
_Text = Annotated[str, Meta(max_length=200_000)]


class Ran(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command of Metaflow's that was run: ``exit_code`` is None if it had to be ended.

    ``text`` is what it printed on both streams, cut in the middle where it was too long.
    """

    exit_code: int | None
    text: _Text
    seconds: float


class CompiledRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule of EventBridge that the deployment would put."""

    name: _Short
    expression: _Short


class Compiled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a flow in the sandbox.

    ``lint`` is ``python FLOW.py check``, with pylint; ``create`` is the deployment itself against a
    stand-in for AWS, which keeps what it is given: ``machine`` the name of the state machine,
    ``definition`` its JSON, ``rule`` its schedule. Those are None where it was not reached.
    ``environment`` is what ``@conda`` or ``@pypi`` have it deployed with (Metaflow's option
    ``--environment``), None without them. ``folder`` is where the flow was, so that files can be
    named as its owner knows them.
    """

    folder: _Short
    lint: Ran
    create: Ran
    machine: _Short | None = None
    definition: Annotated[str, Meta(max_length=2_000_000)] | None = None
    rule: CompiledRule | None = None
    environment: _Short | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A compilation that gave no report: how it ended, and the last of what was printed."""

    ended: Ended
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What is to be compiled, and how.

    ``folder`` holds the flow, and ``flow`` is its file there. ``python`` is the interpreter of its
    environment, ``environment`` the folder of that, if it has one. ``options`` are Metaflow's own,
    ``create`` those of ``step-functions create``; ``queues`` tells of each queue that may be used
    whether it is one of EC2 or FARGATE, the first being the default, and ``settings`` are further
    ``METAFLOW_`` variables. ``seconds`` is how long each of Metaflow's commands may take.
    """

    folder: str
    flow: str
    python: str
    environment: str | None = None
    options: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    production: bool = True
    queues: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0


class Compiler(Protocol):
    """Compiles flows where they can do no harm."""

    def compile(self, compilation: Compilation) -> Compiled | Unfinished:
        """Lint and compile a flow.

        Raises:
            PlatformError: It could not be tried.
        """
        ...
