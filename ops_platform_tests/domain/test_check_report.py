"""The report of the checks as Markdown."""

from ops_platform.domain.check_report import as_markdown, headline
from ops_platform.domain.checks import CAN_START, LINT, LOADS, PYLINT
from ops_platform.domain.findings import Report


def test_all_that_passed_is_one_table() -> None:
    """A headline, then a row for each finding."""
    report = Report("Forecast", (LOADS.passed("It loads."), LINT.passed("Fine.")))
    assert as_markdown(report).splitlines() == [
        "**Forecast passed.**",
        "",
        "|  | Check | What was found | What to do |",
        "| --- | --- | --- | --- |",
        "| ✅ | loads | It loads. |  |",
        "| ✅ | lint | Fine. |  |",
    ]


def test_what_stops_a_promotion_comes_first_with_its_line() -> None:
    """File and line, what to do, and where the evidence is."""
    link = "https://example.com/run"
    bad = PYLINT.failed("bad-code", "E0602: x", file="a/b.py", line=3, fix="Mend it.", link=link)
    markdown = as_markdown(Report("Forecast", (LOADS.passed("It loads."), bad)))
    row = "| ❌ | pylint | a/b.py:3: E0602: x ([evidence](https://example.com/run)) | Mend it. |"
    assert markdown.splitlines()[4] == row


def test_foreign_text_marks_nothing_up() -> None:
    """It ends no cell, pings nobody and links nowhere."""
    bad = LOADS.failed("x", "a | b @team `c` [d](http://e)\n# f", fix="<img>")
    row = as_markdown(Report(None, (bad,))).splitlines()[4]
    assert row.count("|") == 5
    assert "@team" not in row
    assert "<img>" not in row
    assert "](http" not in row


def test_what_could_not_be_checked_is_told_apart() -> None:
    """It is neither passed nor failed."""
    unknown = CAN_START.unchecked("no-queues", "No queue is known.")
    report = Report("Forecast", (LOADS.passed("It loads."), unknown))
    assert headline(report) == "Forecast did not pass: can-start could not be checked."
    both = Report(None, (LINT.failed("a", "b"), unknown))
    assert headline(both) == (
        "The flow did not pass: stopped by lint; can-start could not be checked."
    )


def test_a_flood_of_findings_fits_a_comment() -> None:
    """The first forty, and how many more."""
    many = tuple(PYLINT.failed("bad-code", "@" * 2_000, fix="|" * 2_000) for _ in range(500))
    markdown = as_markdown(Report("Forecast", many))
    assert markdown.endswith("460 more are not shown.")
