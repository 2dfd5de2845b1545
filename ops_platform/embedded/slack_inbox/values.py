"""The type of a decoded JSON value, and the readings of it that the methods share."""

from collections.abc import Mapping
from typing import Any

Json = Any
"""Whatever came in the body of a request; nothing is known of it before it is checked."""

Arguments = Mapping[str, Json]
"""The arguments of a method, from a JSON body, a form or a query alike."""


def text_of(arguments: Arguments, name: str) -> str | None:
    """Return an argument as text, or None if it is absent, empty or not a scalar."""
    value = arguments.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def flag_of(arguments: Arguments, name: str) -> bool:
    """Return whether an argument is true, in any of the ways in which Slack takes truth."""
    return arguments.get(name) in (True, 1, "1", "true", "True")


def number_of(arguments: Arguments, name: str, default: int) -> int:
    """Return an argument as a whole number, or the default where it is none."""
    try:
        return int(text_of(arguments, name) or default)
    except ValueError:
        return default
