"""Numbers of metrics, for people and for programs."""

import pytest

from ops_platform.cli.metric_rows import show_numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        (0.00123456, "0.001235"),
        (1234.5678, "1235"),
        (123456789.4, "123456789"),
        (0.99999, "1"),
        (-0.5, "-0.5"),
        (7, "7"),
        (None, "-"),
    ],
)
def test_people_see_four_digits(
    value: float | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """But every digit before the point."""
    show_numbers([{"sum": value}], columns=["sum"], as_json=False)

    assert capsys.readouterr().out.split() == ["SUM", shown]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.1 + 0.2, "0.30000000000000004"), (3.0, "3"), (None, "null"), (2, "2")]
)
def test_programs_see_all_of_it(
    value: float | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole number without a fraction."""
    show_numbers([{"sum": value}], columns=["sum"], as_json=True)

    assert f'"sum": {shown}\n' in capsys.readouterr().out


def test_nothing_is_an_empty_array_or_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    """Or a word."""
    show_numbers([], columns=["hour", "sum"], as_json=True)
    show_numbers([], columns=["hour", "sum"], as_json=False, as_csv=True)
    show_numbers([], columns=["hour", "sum"], as_json=False)

    assert capsys.readouterr().out == "[]\nhour,sum\nNothing.\n"


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_name_that_is_a_formula_is_text_in_a_spreadsheet(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An owner may call a flow anything; numbers stay numbers."""
    rows = [{"owner": name, "sum": -1.5}]
    show_numbers(rows, columns=["owner", "sum"], as_json=False, as_csv=True)
    _, line = capsys.readouterr().out.split("\n", 1)
    assert line.lstrip('"').startswith("'")
    assert line.endswith(",-1.5\n")


def test_json_has_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody runs it."""
    show_numbers([{"owner": "=1"}], columns=["owner"], as_json=True)
    assert '"=1"' in capsys.readouterr().out
