"""Where moto and AWS differ, and what of ours stands in for moto there.

Every replacement is a ``Gap``: what is replaced, and what moto lacks. Nothing else of moto is
touched. A test pins moto's version and the source of what is replaced, so that a new moto shows
which gaps have to be looked at again.
"""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Moto = Any
"""Something of moto that has no types."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One attribute of moto that is replaced.

    ``target`` is ``module:attribute`` or ``module:Class.attribute``; ``missing`` says what AWS
    does there and moto does not. ``is_new`` marks an attribute that moto does not have at all.
    """

    target: str
    missing: str
    replacement: Any
    is_new: bool = False


def original(target: str) -> Moto:
    """Return what stands at a target now."""
    owner, name = _owner(target)
    return getattr(owner, name)


def bridge(gaps: Iterable[Gap]) -> None:
    """Put our replacements in place, in this process, until it ends."""
    for gap in gaps:
        owner, name = _owner(gap.target)
        if hasattr(owner, name) == gap.is_new:
            raise RuntimeError(f"moto has changed at {gap.target}: {gap.missing}")
        setattr(owner, name, gap.replacement)


def _owner(target: str) -> tuple[Any, str]:
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    return owner, name
