"""A flow as the real compiler made it for Step Functions, without any account: a stranger's word.

It is what a sandboxed compilation reports, and all that the sanity checks know of a flow's code.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

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
    """

    lint: Ran
    create: Ran
    machine: _Short | None = None
    definition: Annotated[str, Meta(max_length=2_000_000)] | None = None
    rule: CompiledRule | None = None
