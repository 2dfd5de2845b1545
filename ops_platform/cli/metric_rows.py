"""Numbers of metrics as tables, JSON and CSV, and lists of what was computed."""

import csv
import io
import math
from collections.abc import Sequence
from itertools import groupby

import click

from ops_platform.cli.output import Row, show_json, show_rows
from ops_platform.cli.period import written
from ops_platform.operations.roll_up_metrics import Rolled

_DIGITS = 4
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show_numbers(
    rows: Sequence[Row],
    *,
    columns: Sequence[str],
    as_json: bool,
    as_csv: bool = False,
    none: str = "Nothing.",
) -> None:
    """Print rows; numbers are rounded for people alone."""
    exact = [{key: _plain(value) for key, value in row.items()} for row in rows]
    if as_json:
        show_json(exact)
    elif as_csv:
        click.echo(_csv(exact, columns), nl=False)
    else:
        rounded = [{key: _rounded(value) for key, value in row.items()} for row in exact]
        show_rows(rounded, columns=columns, none=none, as_json=False)


def computed_rows(done: Sequence[Rolled]) -> list[Row]:
    """Return what was computed, each hour and each day."""
    return [
        {
            "grain": each.grain,
            "noun": each.noun,
            "began": written(each.began.date() if each.grain == "day" else each.began),
            "rows": each.rows,
            "partial": each.partial,
        }
        for each in done
    ]


def computed_days(done: Sequence[Rolled]) -> list[Row]:
    """Return what was computed in a row for each day and noun."""
    ordered = sorted(done, key=lambda each: (each.began.date(), each.noun))
    return [
        _day(list(group))
        for _, group in groupby(ordered, key=lambda each: (each.began.date(), each.noun))
    ]


def _day(done: Sequence[Rolled]) -> Row:
    hours = [each for each in done if each.grain == "hour"]
    return {
        "day": written(done[0].began.date()),
        "noun": done[0].noun,
        "hours": len(hours),
        "rows": sum(each.rows for each in hours),
        "partial": any(each.partial for each in hours),
        "day_computed": any(each.grain == "day" for each in done),
    }


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a cell; a spreadsheet would run a foreign name that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: object) -> object:
    """Return a number without a fraction as the integer it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rounded(value: object) -> object:
    """Return a number with four digits that count, or with all that it has before the point."""
    if not isinstance(value, float):
        return value
    return _plain(round(value, max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))))
