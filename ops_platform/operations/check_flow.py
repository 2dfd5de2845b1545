"""The sanity checks that need neither a server nor credentials: does it compile, can it start?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from ops_platform.domain.can_start import judge_start
from ops_platform.domain.capacity import InstanceType, Queue
from ops_platform.domain.checks import COMPILES
from ops_platform.domain.compiled_flow import Compilation, Compiled, Compiler
from ops_platform.domain.findings import Finding, Report
from ops_platform.domain.flow_findings import findings_of, stops_at
from ops_platform.domain.flow_names import Conventions, FlowNames, judge_names
from ops_platform.domain.machine_definitions import Definition, DefinitionError, read_machine
from ops_platform.domain.provenance import provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRules:
    """What a flow is held against: conventions for names, and the production account's queues.

    ``branch`` is the git branch of the flow and ``branches`` are those of its repository, as far
    as they are known.
    """

    conventions: Conventions = field(default_factory=Conventions)
    queues: Sequence[Queue] = ()
    offered: Sequence[InstanceType] = ()
    branch: str | None = None
    branches: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CheckedFlow:
    """What the checks found, and the flow as it was compiled; None where it was not."""

    report: Report
    compiled: Compiled | None = None
    definition: Definition | None = None


def check_flow(
    compiler: Compiler, compilation: Compilation, rules: FlowRules, *, prefix: str = ""
) -> CheckedFlow:
    """Lint and compile a flow, and judge its names and sizes.

    Args:
        compiler: What compiles it.
        compilation: The flow.
        rules: What it is held against.
        prefix: The path of its folder, for the names of files in what is found.

    Raises:
        PlatformError: It could not be tried.
    """
    compiled = compiler.compile(compilation)
    found = findings_of(compiled, seconds=compilation.seconds)
    if stops_at(found) or not isinstance(compiled, Compiled):
        return CheckedFlow(Report(None, _placed(found, prefix)))
    try:
        definition = read_machine(compiled.definition or "")
    except DefinitionError as error:
        found = [each for each in found if each.name != COMPILES.name]
        broken = COMPILES.failed("not-metaflow", str(error))
        return CheckedFlow(Report(None, _placed([*found, broken], prefix)))
    flow = provenance(definition).flow
    found += _judged(compiled.machine or flow, definition, rules)
    return CheckedFlow(Report(flow, _placed(found, prefix)), compiled, definition)


def _judged(machine: str, definition: Definition, rules: FlowRules) -> list[Finding]:
    flow = provenance(definition).flow
    names = FlowNames(
        flow=flow,
        machine=machine,
        branch=rules.branch,
        branches=rules.branches,
        tags={step.name: step.job_tags for step in definition.steps},
    )
    return [
        *judge_names(names, rules.conventions),
        *judge_start(definition, rules.queues, flow=flow, offered=rules.offered),
    ]


def _placed(found: Sequence[Finding], prefix: str) -> tuple[Finding, ...]:
    if not prefix:
        return tuple(found)
    return tuple(
        msgspec.structs.replace(each, file=f"{prefix.rstrip('/')}/{each.file}")
        if each.file and not each.file.startswith("/")
        else each
        for each in found
    )
