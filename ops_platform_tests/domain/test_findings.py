"""What findings add up to."""

import pytest

from ops_platform.domain.checks import CHECKS, LINT, LOCK, NAMES, ON_A_LAPTOP
from ops_platform.domain.findings import (
    Finding,
    Report,
    Severity,
    Verdict,
    as_document,
    worst_first,
)

GOOD = LINT.passed("The graph holds together.")
BAD = NAMES.failed("too-long", "The name is too long.", file="flow.py", line=3)
UNKNOWN = LOCK.unchecked("no-ledger", "The ledger does not answer.")
HINT = Finding(
    name="names",
    verdict=Verdict.FAILED,
    reason="odd",
    message="An odd name.",
    severity=Severity.WARNING,
)


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), Verdict.UNCHECKED),
        ((GOOD,), Verdict.PASSED),
        ((GOOD, HINT), Verdict.PASSED),
        ((GOOD, BAD), Verdict.FAILED),
        ((GOOD, UNKNOWN), Verdict.UNCHECKED),
        ((UNKNOWN, BAD), Verdict.FAILED),
    ],
)
def test_the_worst_that_stops_decides(findings: tuple[Finding, ...], verdict: Verdict) -> None:
    """Nothing asked is nothing passed, and a warning stops nothing."""
    report = Report("Flow", findings)
    assert (report.verdict, report.passed) == (verdict, verdict is Verdict.PASSED)


def test_a_report_is_a_document_of_its_findings() -> None:
    """With what programs need to decide, and people to mend."""
    assert as_document(Report(None, (GOOD, BAD))) == {
        "flow": None,
        "passed": False,
        "checks": [
            {
                "passed": True,
                "name": "lint",
                "verdict": "passed",
                "reason": "passed",
                "message": "The graph holds together.",
                "severity": "error",
                "file": None,
                "line": None,
                "fix": None,
                "link": None,
            },
            {
                "passed": False,
                "name": "names",
                "verdict": "failed",
                "reason": "too-long",
                "message": "The name is too long.",
                "severity": "error",
                "file": "flow.py",
                "line": 3,
                "fix": NAMES.fix,
                "link": None,
            },
        ],
    }


def test_what_stops_is_shown_first() -> None:
    """Then warnings, then what passed."""
    assert worst_first([GOOD, HINT, UNKNOWN, BAD]) == [UNKNOWN, BAD, HINT, GOOD]


def test_each_check_has_a_name_of_its_own_and_says_what_it_asks() -> None:
    """As docs and reports name them."""
    names = [each.name for each in CHECKS]
    assert len(set(names)) == len(names)
    assert all(each.question.endswith("?") and each.how and each.fix for each in CHECKS)
    assert set(ON_A_LAPTOP) < set(CHECKS)
