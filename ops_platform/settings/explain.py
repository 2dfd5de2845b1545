"""Turns what pydantic found into sentences that name the key, the value and what is allowed."""

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from ops_platform.settings.problems import Problem
from ops_platform.settings.walk import Node, at

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST_VALUE = 80


def explain(error: ValidationError, given: dict[str, Any]) -> list[Problem]:
    """Return one problem for each error; ``given`` is the file as the user wrote it."""
    # An account that could not be read is missed by the array too; once is enough.
    details = [d for d in error.errors() if d["type"] != "too_short" or not d["input"]]
    return [_problem(detail, given) for detail in details]


def _problem(detail: "ErrorDetails", given: dict[str, Any]) -> Problem:
    path = tuple(detail["loc"])
    key, node = written(path, given), at(path)
    if detail["type"] == "extra_forbidden" or node is None:
        return Problem(key, _unknown(str(path[-1]), at(path[:-1])))
    if detail["type"] == "missing":
        return Problem(key, f"missing; give {node.allowed}")
    return Problem(key, f"{shown(detail['input'], node)} is not allowed; give {node.allowed}")


def written(path: tuple[int | str, ...], given: object) -> str:
    """Return a key as it stands in the file, such as ``accounts[1].region``.

    Accounts may be tables by name there, and a person one text instead of a table.
    """
    key = ""
    for part in path:
        if not isinstance(given, dict | list):
            break
        name = list(given)[part] if isinstance(given, dict) and isinstance(part, int) else part
        key += f"[{name}]" if isinstance(name, int) else f".{name}"
        given = _under(given, name)
    return key.removeprefix(".")


def _under(table: dict[str, Any] | list[Any], name: int | str) -> object:
    if isinstance(table, dict):
        return table.get(str(name), {})
    return table[int(name)]


def shown(value: object, node: Node) -> str:
    """Return a value for people to read, but no secret, nor a table that may hold one."""
    if node.kind is SecretStr:
        return "its value (hidden)"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if node.table and not node.notes:
        return "a single value"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    cut = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    return json.dumps(cut)


def _unknown(name: str, parent: Node | None) -> str:
    keys = [key for key in (parent.keys if parent else []) if key != "token"]
    near = get_close_matches(name, keys, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(keys)}"
    return f"unknown key; {hint}"
