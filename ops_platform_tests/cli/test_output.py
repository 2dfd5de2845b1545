"""Tables for people, JSON for programs."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ops_platform.cli.output import Row, cell, show_record, show_rows, stamp, table

_NOON = datetime(2026, 1, 31, 12, 0, 0, 1999, tzinfo=UTC)


def test_a_table_is_aligned() -> None:
    """Words to the left, numbers to the right, what is missing as a dash."""
    rows: list[Row] = [{"flow": "TrainFlow", "failed_jobs": 12}, {"flow": "X", "failed_jobs": None}]

    assert table(rows, ["flow", "failed_jobs"]) == [
        "FLOW       FAILED JOBS",
        "TrainFlow           12",
        "X                    -",
    ]


def test_a_program_gets_an_array(capsys: pytest.CaptureFixture[str]) -> None:
    """With every key, also those that the table leaves out, and also when it is empty."""
    show_rows([{"a": 1, "b": _NOON}], columns=["a"], none="Nothing.", as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "b": "2026-01-31T12:00:00.001Z"}]

    show_rows([], columns=["a"], none="Nothing.", as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_people_read_a_sentence_when_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty table looks like a fault."""
    show_rows([], columns=["a"], none="No jobs.", as_json=False)

    assert capsys.readouterr().out == "No jobs.\n"


def test_a_record_is_shown_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, however long."""
    show_record({"id": "x" * 100, "opened_at": _NOON, "steps": {"a": 1}}, as_json=False)

    assert capsys.readouterr().out.splitlines() == [
        f"id         {'x' * 100}",
        "opened_at  2026-01-31T12:00:00.001Z",
        'steps      {"a": 1}',
    ]


def test_times_are_printed_in_utc() -> None:
    """Whatever zone they come in."""
    berlin = timezone(timedelta(hours=1))

    assert stamp(datetime(2026, 1, 31, 13, tzinfo=berlin)) == "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a\nb", "a\\nb", id="a line stays one line"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="the terminal is not steered"),
        pytest.param("\ud800", "\\ud800", id="half a character can be printed"),
        pytest.param("\u202egnp", "\\u202egnp", id="text is not turned around"),
        pytest.param("Zoë", "Zoë", id="letters stay"),
        pytest.param(True, "yes", id="words for truth"),
        pytest.param("", "-", id="nothing is seen"),
        pytest.param("x" * 61, "x" * 59 + "…", id="a long text is cut"),
    ],
)
def test_foreign_text_is_made_harmless(value: object, text: str) -> None:
    """Names and errors come from anywhere."""
    assert cell(value) == text
