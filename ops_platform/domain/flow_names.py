"""Whether a flow's names are ones by which everybody finds it, and no two things share one.

Sources: Metaflow's ``step_functions_cli.py`` (a state machine's name of more than 60 characters is
cut and hashed), ``project_decorator.py`` (branches are of lower-case letters, digits and ``_``);
Step Functions' own limit is 80 characters. Batch's documentation of tags: 50 to a job, names of 128
characters and values of 256. Metaflow judges the first character of each, and counts none.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ops_platform.domain.checks import NAMES
from ops_platform.domain.findings import Finding
from ops_platform.domain.identity import parse_machine_name
from ops_platform.domain.words import listed

_HASHED = re.compile(r".{60}-[a-z2-7]{16}")
_MOST_TAGS = 50
_LONGEST_TAG, _LONGEST_VALUE = 128, 256
_TAG = re.compile(r"[\w\s+\-=.:/@]*")
_FILLED_IN = ".$"  # by Step Functions, when the step is started
_NOT_IN_BRANCHES = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Conventions:
    """How things are to be called: patterns that whole names must match, None for any name."""

    flow: str | None = None
    project: str | None = None
    project_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNames:
    """The names of a compiled flow.

    ``branch`` is the git branch that it comes from and ``branches`` are all of the repository;
    None and nothing where that is not known. ``tags`` are those of each step's job, by step.
    """

    flow: str
    machine: str
    branch: str | None = None
    branches: Collection[str] = ()
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def metaflow_branch(git_branch: str) -> str:
    """Return the name under which a git branch is deployed to Staging."""
    return _NOT_IN_BRANCHES.sub("_", git_branch.lower()).strip("_")[:128]


def judge_names(names: FlowNames, conventions: Conventions) -> list[Finding]:
    """Return what is wrong with a flow's names, or the finding that nothing is."""
    wrong = [
        *_machine(names),
        *_conventional(names, conventions),
        *_branch(names),
        *_tags(names.tags),
    ]
    return wrong or [NAMES.passed(f"It is {names.flow}, and runs as {names.machine}.")]


def _machine(names: FlowNames) -> Iterator[Finding]:
    if _HASHED.fullmatch(names.machine):
        yield NAMES.failed(
            "cut",
            "The names of project and flow are too long together for a state machine:"
            f" Metaflow cuts them to {names.machine}, by which nobody finds the flow.",
            fix="Shorten project and flow to 53 characters together.",
        )


def _conventional(names: FlowNames, conventions: Conventions) -> Iterator[Finding]:
    project = parse_machine_name(names.machine).project
    if conventions.flow and not re.fullmatch(conventions.flow, names.flow):
        yield NAMES.failed(
            "flow-name", f"The flow {names.flow} is to be called like {conventions.flow}."
        )
    if project is None and conventions.project_required:
        fix = 'Decorate the flow with @project(name="...").'
        yield NAMES.failed("no-project", "The flow belongs to no project.", fix=fix)
    if project and conventions.project and not re.fullmatch(conventions.project, project):
        yield NAMES.failed(
            "project-name", f"The project {project} is to be called like {conventions.project}."
        )


def _branch(names: FlowNames) -> Iterator[Finding]:
    if names.branch is None:
        return
    short = metaflow_branch(names.branch)
    if not short:
        message = f"Of the branch {names.branch} Metaflow's names can hold nothing."
        yield NAMES.failed("branch-name", message, fix="Use letters and digits in its name.")
        return
    others = names.branches
    same = sorted(
        each for each in others if each != names.branch and metaflow_branch(each) == short
    )
    if same:
        message = (
            f"In Staging the branch {names.branch} is {short}, and so is {listed(same)}:"
            " each would replace the other's state machine."
        )
        yield NAMES.failed("branch-collision", message, fix="Rename one of the branches.")


def _tags(by_step: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """Yield what Batch would refuse when the step is started."""
    for step, tags in by_step.items():
        if len(tags) > _MOST_TAGS:
            message = f"Jobs of {step} have {len(tags)} tags, and Batch takes {_MOST_TAGS}."
            yield NAMES.failed("too-many-tags", message, fix="Name fewer in aws_batch_tags.")
        if odd := [name for name, value in tags.items() if not _is_tag(name, value)]:
            message = f"Batch refuses tags of {step}: {listed(sorted(odd))}."
            fix = (
                f"Letters, digits, spaces and + - = . _ : / @ can be in a tag; a name has up to"
                f" {_LONGEST_TAG} characters, a value {_LONGEST_VALUE}."
            )
            yield NAMES.failed("bad-tag", message, fix=fix)


def _is_tag(name: str, value: str) -> bool:
    if name.endswith(_FILLED_IN):
        return True
    fits = 0 < len(name) <= _LONGEST_TAG and len(value) <= _LONGEST_VALUE
    return fits and bool(_TAG.fullmatch(name) and _TAG.fullmatch(value))


def judge_origin(
    machine: str, repository: str, *, projects: str | None, before: str | None
) -> list[Finding]:
    """Return what speaks against a machine of this name from this repository, if anything.

    Args:
        machine: The name of the state machine.
        repository: Where the flow comes from.
        projects: A pattern of the projects that its flows may belong to, None for any.
        before: The repository that the machine was last deployed from, None if that is not known.
    """
    found = []
    project = parse_machine_name(machine).project
    if projects is not None and not re.fullmatch(projects, project or ""):
        belongs = f"belongs to the project {project}" if project else "belongs to no project"
        message = f"{machine} {belongs}; flows of {repository} belong to {projects}."
        found.append(NAMES.failed("foreign-project", message, fix="Name a project of yours."))
    if before is not None and before.lower() != repository.lower():
        message = f"{machine} was last deployed from {before}, and is not to be taken over unseen."
        fix = "Rename the flow or its project, or have it adopted by whoever runs the platform."
        found.append(NAMES.failed("foreign-machine", message, fix=fix))
    return found
