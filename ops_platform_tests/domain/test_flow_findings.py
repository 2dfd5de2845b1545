"""What a compilation tells, with the words that Metaflow, pylint and Python really print."""

import pytest

from ops_platform.domain.compiled_flow import Compiled, Ran
from ops_platform.domain.findings import Finding
from ops_platform.domain.flow_findings import RESTRICTIONS, Restriction, findings_of, stops_at

FOLDER = "/sandbox/repo"
GOOD = """Metaflow 2.19.39 executing F for user:soteria
Validating your flow...
    The graph looks good!
Running pylint...
    Pylint is happy!
"""
BAD_GRAPH = f"""Metaflow 2.19.39 executing F for user:ada
Validating your flow...
    Validity checker found an issue in file {FOLDER}/flows/f.py on line 5:
    Step start specifies a self.next() transition to an unknown step, nowhere.

"""
BAD_CODE = """Validating your flow...
    The graph looks good!
Running pylint...
    flows/f.py:5:14: E0602: Undefined variable 'undefined_name' (undefined-variable)
    flows/f.py:9:22: E0602: Undefined variable 'missing' (undefined-variable)
    Pylint is not happy:
    Fix Pylint warnings listed above or say --no-pylint.

"""
NO_PYLINT = GOOD.replace(
    "    Pylint is happy!", "    Pylint not found, so extra checks are disabled."
)
NO_MODULE = f"""Traceback (most recent call last):
  File "{FOLDER}/flows/f.py", line 3, in <module>
    import nosuchmodule
  File "/usr/lib/python3.11/importlib/x.py", line 90, in load
ModuleNotFoundError: No module named 'nosuchmodule'
"""
NO_SYNTAX = f"""  File "{FOLDER}/flows/f.py", line 1
    def (
        ^
SyntaxError: invalid syntax
"""
BAD_PROJECT = """Metaflow 2.19.39 executing F for user:ada
    Flow failed:
    The @project name must contain only lowercase alphanumeric characters and underscores.

"""


def _refused(words: str) -> str:
    return f"{GOOD}Deploying F...\n    AWS Step Functions error:\n    Step x: {words} there.\n\n"


def _ran(text: str, code: int | None = 1) -> Ran:
    return Ran(exit_code=code, text=text, seconds=1.5)


def _told(lint: Ran, create: Ran | None = None, *, machine: str | None = None) -> list[Finding]:
    text = None if machine is None else "{}"
    compiled = Compiled(FOLDER, lint, create or _ran("", 1), machine=machine, definition=text)
    return findings_of(compiled, seconds=60)


def _outcomes(findings: list[Finding]) -> dict[str, str]:
    return {each.name: each.reason for each in findings}


def test_a_flow_in_order_passes_each() -> None:
    """And it is known what it compiles to."""
    findings = _told(_ran(GOOD, 0), _ran(GOOD, 0), machine="shop.prod.F")
    assert [each.name for each in findings] == ["loads", "lint", "pylint", "compiles"]
    assert all(each.passed for each in findings)
    assert findings[-1].message == "It compiles to shop.prod.F."
    assert not stops_at(findings)


@pytest.mark.parametrize(
    ("lint", "reason", "said", "line"),
    [
        (_ran(GOOD, None), "timed-out", "had not loaded after 60 s", None),
        (_ran("hello\n", 0), "no-flow", "starts no flow", None),
        (_ran(NO_MODULE), "does-not-load", "No module named 'nosuchmodule'", 3),
        (_ran(NO_SYNTAX), "does-not-load", "SyntaxError: invalid syntax", 1),
        (_ran(BAD_PROJECT), "does-not-load", "The @project name must contain only", None),
        (_ran(""), "does-not-load", "without a word", None),
        (_ran("\x00\xff" * 50), "does-not-load", "without a word", None),
    ],
)
def test_a_flow_that_does_not_load_tells_nothing_else(
    lint: Ran, reason: str, said: str, line: int | None
) -> None:
    """With the line of its own file, not that of a library."""
    (finding,) = _told(lint)
    assert (finding.name, finding.reason, finding.line) == ("loads", reason, line)
    assert said in finding.message
    assert finding.file == ("flows/f.py" if line else None)
    assert stops_at([finding])


def test_a_graph_that_is_refused_is_told_once() -> None:
    """What would come after it is not checked, and so not passed."""
    findings = _told(_ran(BAD_GRAPH), _ran(BAD_GRAPH))
    assert _outcomes(findings) == {
        "loads": "passed",
        "lint": "bad-graph",
        "pylint": "after-lint",
        "compiles": "after-lint",
    }
    lint = findings[1]
    assert (lint.file, lint.line) == ("flows/f.py", 5)
    assert lint.message.startswith("Step start specifies a self.next() transition")
    assert [each.passed for each in findings] == [True, False, False, False]


def test_each_complaint_of_pylint_is_a_finding() -> None:
    """With its line; the flow compiles all the same."""
    findings = _told(_ran(BAD_CODE), _ran(GOOD, 0), machine="F")
    found = [(each.file, each.line) for each in findings if each.name == "pylint"]
    assert found == [("flows/f.py", 5), ("flows/f.py", 9)]
    assert findings[2].message == "E0602: Undefined variable 'undefined_name' (undefined-variable)"
    assert not stops_at(findings)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [(NO_PYLINT, "not-installed"), ("    The graph looks good!\n", "no-answer")],
)
def test_pylint_that_did_not_run_is_not_passed(printed: str, reason: str) -> None:
    """Though Metaflow is content without it."""
    findings = _told(_ran(printed, 0), _ran(GOOD, 0), machine="F")
    assert _outcomes(findings)["pylint"] == reason
    assert not findings[2].passed


@pytest.mark.parametrize("restriction", RESTRICTIONS, ids=lambda each: each.words)
def test_each_restriction_of_step_functions_has_a_reason(restriction: Restriction) -> None:
    """And something to do about it."""
    words, reason = restriction.words, restriction.reason
    finding = _told(_ran(GOOD, 0), _ran(_refused(words)))[-1]
    assert (finding.name, finding.reason) == ("compiles", reason)
    assert words in finding.message
    assert finding.fix == restriction.fix


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        (_ran(_refused("something new")), "does-not-compile"),
        (_ran(NO_MODULE), "does-not-compile"),
        (_ran("", None), "timed-out"),
        (_ran(GOOD, 0), "does-not-compile"),
    ],
)
def test_what_is_not_known_of_a_refusal_is_told_as_it_is(create: Ran, reason: str) -> None:
    """A success that made no machine is none."""
    finding = _told(_ran(GOOD, 0), create)[-1]
    assert (finding.name, finding.reason, finding.passed) == ("compiles", reason, False)
