"""The software that a flow's steps run with, and whether Production would use what was proved.

Sources: ``METAFLOW_VERSION`` for Python and Metaflow, the ``batch`` decorator in each step's
command for its image, and the command that unpacks what ``@pypi`` or ``@conda`` resolved to
(``bootstrap_commands`` in Metaflow's ``conda_environment.py``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ops_platform.domain.checks import SAME_SOFTWARE
from ops_platform.domain.findings import Finding
from ops_platform.domain.machine_definitions import Definition
from ops_platform.domain.provenance import provenance

_RESOLVED = re.compile(r"metaflow\.plugins\.pypi\.bootstrap \S+ (\w+)")
# Metaflow takes one for the other: the same environment, found by the same means.
_SAME_KINDS = {"pypi": "conda"}
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What steps run with; ``images`` and ``environments`` are by step.

    ``python`` is major and minor version of who deployed it, which the image of a step follows
    unless one is named. An environment is the id of what ``@pypi`` or ``@conda`` resolved to.
    """

    python: str | None
    metaflow: str | None
    kind: str | None
    images: Mapping[str, str | None] = field(default_factory=dict)
    environments: Mapping[str, str] = field(default_factory=dict)


def software_of(definition: Definition) -> Software:
    """Return the software of a compiled flow."""
    told = provenance(definition)
    resolved = {step.name: _RESOLVED.search(step.command) for step in definition.steps}
    return Software(
        python=".".join(told.python.split(".")[:2]) if told.python else None,
        metaflow=told.metaflow,
        kind=_SAME_KINDS.get(told.environment or "", told.environment),
        images={step.name: step.image for step in definition.steps},
        environments={name: found.group(1) for name, found in resolved.items() if found},
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """A run that proved a flow: its id, and where it can be looked at."""

    run_id: str
    link: str | None = None


def judge_software(ran: Software | None, would: Software, proof: Proof) -> list[Finding]:
    """Return what would be other than in the run that proved the flow, or that nothing would.

    Args:
        ran: The software of that run, None where it cannot be read.
        would: The software that Production would use.
        proof: The run.
    """
    if ran is None:
        message = f"What {proof.run_id} ran with cannot be read."
        return [SAME_SOFTWARE.unchecked("unknown-software", message)]
    if found := list(_differences(ran, would, proof)):
        return found
    return [SAME_SOFTWARE.passed(f"{_named(would)}, as in {proof.run_id}.", link=proof.link)]


def _differences(ran: Software, would: Software, proof: Proof) -> Iterator[Finding]:
    for reason, word, before, after in (
        ("python", "Python", ran.python, would.python),
        ("metaflow", "Metaflow", ran.metaflow, would.metaflow),
        ("environment-kind", "the environment", ran.kind, would.kind),
    ):
        if before != after:
            yield _other(reason, word, (before, after), proof, fix=_FIXES.get(reason))
    for reason, word, by_step, wanted in (
        ("image", "the image", ran.images, would.images),
        ("packages", "the resolved environment", ran.environments, would.environments),
    ):
        for pair, steps in _changed(by_step, wanted).items():
            several = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
            yield _other(reason, f"{word} of step {steps[0]}{several}", pair, proof)


def _changed(
    before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> dict[tuple[str | None, str | None], list[str]]:
    """Return the steps in which something changes alike, by what it was and what it would be."""
    found: dict[tuple[str | None, str | None], list[str]] = {}
    for step in sorted(before.keys() | after.keys()):
        pair = before.get(step), after.get(step)
        if pair[0] != pair[1]:
            found.setdefault(pair, []).append(step)
    return found


_FIXES = {
    "python": "Deploy to Staging with the Python that the platform deploys with, and run it again.",
    "metaflow": "Pin this version of Metaflow where the flow's packages are named, in both places.",
}


def _other(
    reason: str,
    word: str,
    pair: tuple[str | None, str | None],
    proof: Proof,
    *,
    fix: str | None = None,
) -> Finding:
    before, after = map(_short, pair)
    told = f"In {proof.run_id} {word} was {before}; in Production it would be {after}."
    return SAME_SOFTWARE.failed(reason, told, fix=fix, link=proof.link)


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value[:_SHOWN] if re.fullmatch(r"[0-9a-f]{20,}", value) else value


def _named(software: Software) -> str:
    images = sorted({image for image in software.images.values() if image})
    return (
        f"Python {software.python}, Metaflow {software.metaflow}, {', '.join(images) or 'no image'}"
    )
