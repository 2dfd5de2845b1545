"""The findings of the checks that a compilation in a sandbox answers: does it load, lint, compile?

All of it is a stranger's word: a flow can print what it likes. It gains nothing by it, since the
deployment compiles once more, and what then runs is held against what was promised.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ops_platform.domain.checks import COMPILES, LINT, LOADS, PYLINT, Check
from ops_platform.domain.compiled_flow import Compiled, Unfinished
from ops_platform.domain.findings import Finding
from ops_platform.domain.metaflow_output import (
    LOOKS_GOOD,
    NO_PYLINT,
    PYLINT_HAPPY,
    Complaint,
    crash,
    in_folder,
    lint_complaint,
    pylint_complaints,
    refusal,
)
from ops_platform.domain.sandboxes import Ended


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something that Step Functions cannot run, by the words with which Metaflow refuses it."""

    reason: str
    words: str
    fix: str


RESTRICTIONS = (
    Restriction("trigger", "@trigger or @trigger_on_finish", "Start it by @schedule, or by hand."),
    Restriction("exit-hook", "@exit_hook", "Take @exit_hook out; failed runs are alerted anyway."),
    Restriction("parallel", "@parallel", "Use foreach instead of num_parallel."),
    Restriction("parallel", "Parallel steps are not supported", "Use foreach instead."),
    Restriction("switch", "switch statement", "Use an if within a step instead of a switch."),
    Restriction("slurm", "on Slurm", "Take @slurm out; steps run on Batch here."),
    Restriction("kubernetes", "Kubernetes error", "Take @kubernetes out; steps run on Batch here."),
    Restriction("timezone", "scheduling with a timezone", "Write the @schedule in UTC."),
    Restriction("foreach-table", "DynamoDB table", "Set METAFLOW_SFN_DYNAMO_DB_TABLE."),
    Restriction(
        "required-parameter",
        "does not have a default and is required",
        "Give the Parameter a default: nobody is there to name it when the clock starts the run.",
    ),
    Restriction("parameter-twice", "is specified twice", "Rename one of the two parameters."),
    Restriction("name-of-project", "--name is not supported", "Use --branch instead of --name."),
    Restriction("datastore", "requires --datastore=s3", "Set METAFLOW_DEFAULT_DATASTORE to s3."),
    Restriction("node-type", "is not currently supported by AWS Step", "Change this step."),
)


def findings_of(compiled: Compiled | Unfinished, *, seconds: float) -> list[Finding]:
    """Return what a compilation tells of a flow, in the order of the checks.

    Once a flow does not load, nothing else can be told; once its graph is refused, it cannot be
    compiled either, and the same is not said twice.

    Args:
        compiled: What the sandbox reported; files are named from the folder of the flow.
        seconds: How long each command had.
    """
    if isinstance(compiled, Unfinished):
        return [_unfinished(compiled)]
    folder = compiled.folder
    loaded = _loads(compiled, folder, seconds)
    if not loaded.passed:
        return [loaded]
    linted = _lint(compiled, folder)
    return [
        loaded,
        linted,
        *_pylint(compiled, folder, linted),
        *_compiles(compiled, folder, linted),
    ]


def _unfinished(unfinished: Unfinished) -> Finding:
    told, fix = _ENDINGS[unfinished.ended]
    reason = unfinished.ended.replace(" ", "-")
    last = unfinished.text.strip()[-_LAST_WORDS:]
    return LOADS.failed(reason, f"{told} It printed last: {last}" if last else told, fix=fix)


def _loads(compiled: Compiled, folder: str, seconds: float) -> Finding:
    printed = compiled.lint.text
    if compiled.lint.exit_code is None:
        return LOADS.failed("timed-out", f"It had not loaded after {seconds:g} s.", fix=_SLOW)
    if LOOKS_GOOD in printed or lint_complaint(printed):
        return LOADS.passed("It loads.")
    if compiled.lint.exit_code == 0:
        return LOADS.failed("no-flow", "The file runs and starts no flow.", fix=_NO_FLOW)
    complaint = crash(printed, folder=folder) or refusal(printed)
    if complaint and _NEEDS_ENVIRONMENT in complaint.text:
        return LOADS.unchecked("packages", complaint.text, fix=_NO_NETWORK)
    return _told(LOADS, "does-not-load", complaint)


def _lint(compiled: Compiled, folder: str) -> Finding:
    complaint = lint_complaint(compiled.lint.text)
    if complaint is None:
        return LINT.passed("The graph looks good.")
    return _told(LINT, "bad-graph", next(in_folder([complaint], folder)))


def _pylint(compiled: Compiled, folder: str, linted: Finding) -> list[Finding]:
    printed = compiled.lint.text
    if not linted.passed:
        return [PYLINT.unchecked("after-lint", "pylint comes after the graph is in order.")]
    if complaints := pylint_complaints(printed):
        return [_told(PYLINT, "bad-code", each) for each in in_folder(complaints, folder)]
    if PYLINT_HAPPY in printed and compiled.lint.exit_code == 0:
        return [PYLINT.passed("pylint finds no errors.")]
    if NO_PYLINT in printed:
        message = "pylint is not installed in the flow's environment."
        return [PYLINT.unchecked("not-installed", message, fix="Install it: pip install pylint")]
    return [PYLINT.unchecked("no-answer", "pylint gave no answer.", fix=_ASK_METAFLOW)]


def _compiles(compiled: Compiled, folder: str, linted: Finding) -> list[Finding]:
    create = compiled.create
    if create.exit_code == 0 and compiled.machine and compiled.definition:
        return [COMPILES.passed(f"It compiles to {compiled.machine}.")]
    if not linted.passed:
        return [COMPILES.unchecked("after-lint", "It compiles after the graph is in order.")]
    if create.exit_code is None:
        return [COMPILES.failed("timed-out", "Its compilation did not end in time.", fix=_SLOW)]
    complaint = refusal(create.text) or crash(create.text, folder=folder)
    for each in RESTRICTIONS:
        if complaint and each.words in complaint.text:
            return [_told(COMPILES, each.reason, complaint, fix=each.fix)]
    return [_told(COMPILES, "does-not-compile", complaint)]


def _told(
    check: Check, reason: str, complaint: Complaint | None, *, fix: str | None = None
) -> Finding:
    if complaint is None:
        return check.failed(reason, "Metaflow refused it without a word.", fix=_ASK_METAFLOW)
    return check.failed(reason, complaint.text, file=complaint.file, line=complaint.line, fix=fix)


def stops_at(findings: Sequence[Finding]) -> bool:
    """Tell whether nothing more can be told of a flow, since it was not compiled."""
    return not any(each.name == COMPILES.name and each.passed for each in findings)


_LAST_WORDS = 300
# Metaflow resolves the packages of @conda and @pypi on the network, which a sandbox has not.
_NEEDS_ENVIRONMENT = "requires --environment="
_NO_NETWORK = "Name its packages in requirements.txt, or check it by hand: `--environment=… check`."
_SLOW = "Move what takes long from the module's top into a step."
_NO_FLOW = 'End the file with `if __name__ == "__main__": NameOfTheFlow()`.'
_ASK_METAFLOW = "Run `python FLOW.py check` to see all that Metaflow says."
_LESS_AT_TOP = "Look at what the module does at its top: that runs whenever anybody imports it."
_ENDINGS = {
    Ended.EXITED: ("The sandbox gave no report that can be read.", _LESS_AT_TOP),
    Ended.TIMED_OUT: ("It had not ended in time, and was ended.", _SLOW),
    Ended.TOOK_TOO_MUCH_MEMORY: ("It took more memory than it may, and was ended.", _LESS_AT_TOP),
    Ended.KILLED: ("It was killed: it took more than it may.", _LESS_AT_TOP),
    Ended.TALKED_TOO_MUCH: ("It printed more than it may, and was ended.", _LESS_AT_TOP),
}
