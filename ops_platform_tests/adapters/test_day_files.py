"""A day's file is there when it is whole, and not before."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ops_platform.adapters import day_files
from ops_platform.domain.errors import PlatformError

DAY = date(2026, 3, 2)
ROWS = [("events", b'{"event_id": "1"}'), ("events", b'{"event_id": "2"}'), ("jobs", b'{"a": [1]}')]


def _stopping() -> Iterator[tuple[str, bytes]]:
    yield ROWS[0]
    raise InterruptedError(4, "stopped")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """By ourselves, and by whoever reads JSON lines."""
    path = tmp_path / day_files.name_of(DAY)

    written = day_files.write(path, DAY, ROWS)

    heading = day_files.heading_of(path)
    assert heading == written
    assert (written.day, written.rows) == (DAY, {"events": 2, "jobs": 1})
    day_files.verify(path, written)
    assert list(day_files.lines_of(path)) == ROWS
    first, *lines = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    assert first["day"] == "2026-03-02"
    assert lines[2] == {"table": "jobs", "row": {"a": [1]}}


def test_a_day_without_rows_is_a_day(tmp_path: Path) -> None:
    """Nothing happened, and that is known."""
    path = tmp_path / "empty"

    written = day_files.write(path, DAY, [])

    day_files.verify(path, written)
    assert list(day_files.lines_of(path)) == []


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the file is called, and whenever it is written."""
    paths = [tmp_path / name for name in ("one", "other")]
    for path in paths:
        day_files.write(path, DAY, ROWS)

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_is_not_finished_leaves_what_was_there(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "day"
    day_files.write(path, DAY, ROWS)
    before = path.read_bytes()

    with pytest.raises(PlatformError, match="cannot be written: stopped"):
        day_files.write(path, DAY, _stopping())

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


@pytest.mark.parametrize("text", [b"", b"{}", b'{"day": "2026-03-02"}', b"\x00\x01", b"[1]\n[2]"])
def test_a_file_of_others_has_no_heading(tmp_path: Path, text: bytes) -> None:
    """It may be a dump of events."""
    path = tmp_path / "other"
    path.write_bytes(text)

    assert day_files.heading_of(path) is None
