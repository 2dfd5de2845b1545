"""The one way to print: an aligned table for people, JSON alone for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

Row = Mapping[str, object]

# Longer cells are cut in tables; JSON has them whole.
_WIDEST_CELL = 60

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


def show_rows(rows: Sequence[Row], *, columns: Sequence[str], none: str, as_json: bool) -> None:
    """Print a list of rows.

    Args:
        rows: What to print; JSON has every key of a row, the table the named columns.
        columns: The keys that the table shows, in order.
        none: The sentence people read if there are no rows.
        as_json: Whether to print a JSON array instead.
    """
    if as_json:
        show_json(list(rows))
    elif not rows:
        click.echo(none)
    else:
        for line in table(rows, columns):
            click.echo(line)


def show_record(record: Row, *, as_json: bool) -> None:
    """Print one thing: a line for each of its keys, or a JSON object."""
    if as_json:
        show_json(record)
        return
    width = max(map(len, record), default=0)
    for key, value in record.items():
        click.echo(f"{key:<{width}}  {cell(value, widest=None)}")


def show_json(value: object) -> None:
    """Print a value as JSON, times as ``2026-01-31T12:00:00.000Z``."""
    click.echo(json.dumps(value, default=_plain, indent=2))


def table(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the lines of a table: a heading and a line for each row, numbers to the right."""
    heading = [column.replace("_", " ").upper() for column in columns]
    body = [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(heading, *body, strict=True)]
    right = [_is_number_column(rows, column) for column in columns]
    return [_line(cells, widths, right) for cells in (heading, *body)]


def cell(value: object, *, widest: int | None = _WIDEST_CELL) -> str:
    """Return a value as one line of printable text; foreign text cannot steer the terminal."""
    text = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in _text(value)
    )
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"


def stamp(moment: datetime) -> str:
    """Return a time as all output writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=_plain, ensure_ascii=False)
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _is_number_column(rows: Sequence[Row], column: str) -> bool:
    values = [row[column] for row in rows if row.get(column) is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        text.rjust(width) if to_the_right else text.ljust(width)
        for text, width, to_the_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(aligned).rstrip()
