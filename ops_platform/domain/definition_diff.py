"""What differs between two definitions of a state machine, without what differs each time.

Metaflow compiles the same flow to other bytes each time: names of temporary files are drawn by lot,
and the code package, the deployer and the moment are written into it. A diff is shown to people, so
it tells names of variables and never their values.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ops_platform.domain.identity import arn_tail
from ops_platform.domain.machine_definitions import Definition, Step

_DRAWN_BY_LOT = re.compile(r"set_batch_environment (?:parameters|parent_tasks) (\w+)")
_OUR_TAGS = re.compile(r" --tag '?(?:commit|pull_request|promotion):[\w./#-]+'?")
_REVISION = re.compile(r":\d+\Z")
# Told of the deployment, not of what runs; the commit is compared by itself.
_OF_THE_DEPLOYMENT = frozenset(
    {"METAFLOW_CODE_SHA", "METAFLOW_CODE_URL", "METAFLOW_VERSION", "METAFLOW_OWNER", "USER"}
)
_OWNER_TAGS = frozenset({"metaflow.owner"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``step`` is None where it is of the machine as a whole."""

    step: str | None
    text: str

    def __str__(self) -> str:
        """Return it as a line of a list."""
        return f"{self.step}: {self.text}" if self.step else self.text


def digest(definition: Definition) -> str:
    """Return what is the same for two definitions that differ in nothing that matters."""
    text = json.dumps(_normal(definition.document, _code_keys(definition)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def diff(old: Definition, new: Definition) -> list[Change]:
    """Return what differs; empty exactly if the digests are the same."""
    if digest(old) == digest(new):
        return []
    before = {step.name: step for step in old.steps}
    after = {step.name: step for step in new.steps}
    changes = [Change(name, "a new step") for name in after if name not in before]
    changes += [Change(name, "no longer a step") for name in before if name not in after]
    kept = [name for name in after if name in before]
    changes += [each for name in kept for each in _of_step(before[name], after[name])]
    return changes or [Change(None, "steps are connected or run in another way")]


def _of_step(old: Step, new: Step) -> Iterator[Change]:
    seen = False
    for word, before, after in _compared(old, new):
        if before != after:
            seen = True
            yield Change(new.name, f"{word} {_shown(before)} → {_shown(after)}")
    for name in sorted(_variables(old).keys() | _variables(new).keys()):
        if text := _of_variable(_variables(old).get(name), _variables(new).get(name)):
            seen = True
            yield Change(new.name, f"variable {name} {text}")
    if not seen and _plain(old) != _plain(new):
        yield Change(new.name, "runs another command, or in another way")


def _compared(old: Step, new: Step) -> Iterator[tuple[str, object, object]]:
    yield from zip(("vCPUs", "memory (MiB)", "GPUs"), old.sizes, new.sizes, strict=True)
    yield "queue", arn_tail(old.queue), arn_tail(new.queue)
    yield "image", old.image, new.image
    yield "attempts", old.attempts, new.attempts
    yield "time limit (s)", old.timeout, new.timeout
    yield "Metaflow", old.tags.get("metaflow.version"), new.tags.get("metaflow.version")


def _variables(step: Step) -> dict[str, str]:
    return {k: v for k, v in step.environment.items() if k not in _OF_THE_DEPLOYMENT}


def _of_variable(before: str | None, after: str | None) -> str | None:
    if before == after:
        return None
    if before is None:
        return "is new"
    return "is gone" if after is None else "has another value"


def _plain(step: Step) -> object:
    return _normal(step.parameters, _code_keys_of(step))


def _code_keys(definition: Definition) -> tuple[str, ...]:
    """Return how the code package is named in commands: its address, and the key within it."""
    return tuple(dict.fromkeys(key for step in definition.steps for key in _code_keys_of(step)))


def _code_keys_of(step: Step) -> tuple[str, ...]:
    url = step.environment.get("METAFLOW_CODE_URL", "")
    _, _, rest = url.partition("://")
    _, _, key = rest.partition("/")
    return (url, key) if key else ()


def _normal(value: object, code: tuple[str, ...], name: str | None = None) -> object:
    """Return a part of a definition without what differs each time."""
    if isinstance(value, dict):
        kept = ((k, v) for k, v in value.items() if k not in _OWNER_TAGS)
        return {key: _normal(inner, code, key) for key, inner in kept}
    if isinstance(value, list):
        return [_normal(each, code) for each in value if not _is_of_the_deployment(each)]
    if not isinstance(value, str):
        return value
    return _REVISION.sub("", value) if name == "JobDefinition" else _normal_text(value, code)


def _normal_text(text: str, code: tuple[str, ...]) -> str:
    for drawn in dict.fromkeys(_DRAWN_BY_LOT.findall(text)):
        text = re.sub(rf"\b{drawn}\b", "DRAWN", text)
    for key in code:
        text = text.replace(key, "CODE")
    return _OUR_TAGS.sub("", text)


def _is_of_the_deployment(value: object) -> bool:
    return isinstance(value, dict) and value.get("Name") in _OF_THE_DEPLOYMENT


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value or "none")
