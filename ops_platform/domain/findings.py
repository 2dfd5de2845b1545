"""What the sanity checks found: one finding for each thing that was asked, and what it adds up to.

A check that could not be made is not passed; nothing turns an unknown into a yes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "unchecked"
    """It could not be made: something that it needs did not answer or is not known."""


class Severity(StrEnum):
    """What a check that is not passed means for a promotion."""

    ERROR = "error"
    """It stops it."""
    WARNING = "warning"
    """It is told, and stops nothing."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found.

    ``name`` is that of its entry in ``checks.CHECKS``. ``reason`` names the verdict for programs,
    such as ``no-run``; ``message`` says it to people, and ``fix`` what to do about it. ``file`` is
    relative to the repository. ``link`` leads to the evidence.
    """

    name: str
    verdict: Verdict
    reason: str
    message: str
    severity: Severity = Severity.ERROR
    file: str | None = None
    line: int | None = None
    fix: str | None = None
    link: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the check was made and found nothing to complain of."""
        return self.verdict is Verdict.PASSED

    @property
    def stops(self) -> bool:
        """Whether a promotion must not go on."""
        return not self.passed and self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one flow; ``flow`` is None where its name could not be told."""

    flow: str | None
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """What the findings add up to: the worst of those that stop a promotion.

        A failure outweighs what could not be checked: it is known, and can be mended first.
        """
        stopping = [each.verdict for each in self.findings if each.stops]
        if Verdict.FAILED in stopping:
            return Verdict.FAILED
        return Verdict.UNCHECKED if stopping or not self.findings else Verdict.PASSED

    @property
    def passed(self) -> bool:
        """Whether nothing stops a promotion."""
        return self.verdict is Verdict.PASSED


def as_document(report: Report) -> dict[str, object]:
    """Return the report as ``soteria check --json`` prints it."""
    return {
        "flow": report.flow,
        "passed": report.passed,
        "checks": [_entry(each) for each in report.findings],
    }


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with those first that stop a promotion, else in their order."""
    return sorted(findings, key=lambda each: (not each.stops, each.passed))


def _entry(finding: Finding) -> dict[str, object]:
    return {"passed": finding.passed, **msgspec.to_builtins(finding)}
