"""The report of the sanity checks as Markdown, the same wherever it is shown."""

from collections.abc import Iterable

from ops_platform.domain.findings import Finding, Report, Severity, Verdict, worst_first
from ops_platform.domain.markdown import escape, table
from ops_platform.domain.words import listed

_MARKS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.UNCHECKED: "❔"}
_WARNING = "⚠️"
_LONGEST = 700
# A comment on GitHub holds 65,536 characters, and there is more to say in it than this.
_MOST = 40


def as_markdown(report: Report) -> str:
    """Return the report: what it adds up to, then a row for each finding, the worst first."""
    shown = worst_first(report.findings)
    rows = [_row(each) for each in shown[:_MOST]]
    parts = [_headline(report), table(("", "Check", "What was found", "What to do"), rows)]
    if len(shown) > _MOST:
        parts.append(f"{len(shown) - _MOST} more are not shown.")
    return "\n\n".join(parts)


def headline(report: Report) -> str:
    """Return what the report adds up to, as plain text."""
    flow = report.flow or "The flow"
    stopping = [each for each in report.findings if each.stops]
    if report.verdict is Verdict.PASSED:
        return f"{flow} passed."
    failed = _names(each for each in stopping if each.verdict is Verdict.FAILED)
    unchecked = _names(each for each in stopping if each.verdict is Verdict.UNCHECKED)
    told = [f"stopped by {listed(failed)}"] if failed else []
    told += [f"{listed(unchecked)} could not be checked"] if unchecked else []
    return f"{flow} did not pass: {'; '.join(told) or 'nothing was checked'}."


def _names(findings: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(each.name for each in findings))


def where(finding: Finding) -> str | None:
    """Return the file and the line of a finding, if it has one."""
    if finding.file is None:
        return None
    return finding.file if finding.line is None else f"{finding.file}:{finding.line}"


def mark(finding: Finding) -> str:
    """Return the sign of a finding."""
    is_warning = not finding.passed and finding.severity is Severity.WARNING
    return _WARNING if is_warning else _MARKS[finding.verdict]


def _headline(report: Report) -> str:
    return f"**{escape(headline(report), longest=_LONGEST)}**"


def _row(finding: Finding) -> tuple[str, str, str, str]:
    place = where(finding)
    found = escape(finding.message, longest=_LONGEST)
    if place is not None:
        found = f"{escape(place)}: {found}"
    if finding.link is not None:
        # Ours, and of characters that end no link: see `identity.Links`.
        found = f"{found} ([evidence]({finding.link}))"
    return mark(finding), finding.name, found, escape(finding.fix or "", longest=_LONGEST)
