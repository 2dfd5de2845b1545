"""What a flow is, wherever it is compiled: its graph, and what each step asks for and runs in.

The same flow compiles to other roles, addresses and variables in each account, as that account's
settings say. What is left without them must be the same in a sandbox and in production.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ops_platform.domain.identity import arn_tail
from ops_platform.domain.machine_definitions import Definition, Step

_KEPT = ("Type", "Next", "End", "MaxConcurrency")
_CONNECTIONS = ("Type", "Next", "End")


def shape(definition: Definition) -> str:
    """Return the digest of a flow's shape."""
    told = {
        "graph": _graph(definition.document),
        "steps": [_step(step) for step in definition.steps],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def graph(definition: Definition) -> str:
    """Return the digest of a flow's steps and how they follow each other.

    How many run at once is left out, which ``--max-workers`` says of each deployment.
    """
    told = _graph(definition.document, _CONNECTIONS)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _step(step: Step) -> list[object]:
    queue = arn_tail(step.queue)
    return [step.name, step.sizes, queue, step.image, step.attempts, step.timeout]


def _graph(machine: Mapping[str, Any], kept: Sequence[str] = _KEPT) -> dict[str, object]:
    states = machine.get("States")
    return {
        "StartAt": machine.get("StartAt"),
        "States": {
            name: _state(state, kept)
            for name, state in (states.items() if isinstance(states, dict) else ())
            if isinstance(state, dict)
        },
    }


def _state(state: Mapping[str, Any], kept: Sequence[str]) -> dict[str, object]:
    inner = state.get("Iterator") or state.get("ItemProcessor")
    branches = state.get("Branches")
    return {
        **{name: state.get(name) for name in kept},
        "Iterator": _graph(inner, kept) if isinstance(inner, dict) else None,
        "Branches": [
            _graph(each, kept)
            for each in (branches if isinstance(branches, list) else ())
            if isinstance(each, dict)
        ],
    }
