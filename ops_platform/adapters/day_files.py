"""A file that holds a day: a heading, and then a line of JSON for each row, compressed.

The heading is a member of its own in front, so that it can be written when the rest is: it counts
and digests the lines. What is written appears under its name only when it is whole.
"""

import gzip
import hashlib
import os
import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from io import BufferedWriter
from pathlib import Path
from typing import IO, Final, Literal, cast

import msgspec

from ops_platform.domain.errors import PlatformError

_FORMAT: Final = "ops-platform day"
_VERSION = 1
_LEVEL = 5
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
_GZIP = b"\x1f\x8b"
_SAY = "Nothing was imported; get a whole copy of the file."


class Heading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: which day it is, and what follows."""

    format: Literal["ops-platform day"] = _FORMAT
    version: int = _VERSION
    day: date
    rows: dict[str, int]
    sha256: str


class Line(msgspec.Struct, frozen=True):
    """Any other line: a row of a table of the ledger."""

    table: str
    row: msgspec.Raw


class DamagedError(PlatformError):
    """The file is not what was written."""


_heading = msgspec.json.Decoder(Heading).decode
_line = msgspec.json.Decoder(Line).decode


def name_of(day: date) -> str:
    """Return the name of the file that holds a day."""
    return f"events-{day}.jsonl.gz"


def write(path: Path, day: date, rows: Iterable[tuple[str, bytes]]) -> Heading:
    """Write the rows of a day, each with its table, in the place of the file that may be there."""
    body, whole = (path.with_name(f".{path.name}.{part}") for part in ("body", "part"))
    try:
        heading = _write_body(body, day, rows)
        with whole.open("wb") as out, body.open("rb") as rest:
            with _compressing(out) as head:
                head.write(msgspec.json.encode(heading) + b"\n")
            shutil.copyfileobj(rest, out)
            out.flush()
            os.fsync(out.fileno())
        whole.replace(path)
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        for left in (body, whole):
            with suppress(OSError):
                left.unlink()
    return heading


def _write_body(path: Path, day: date, rows: Iterable[tuple[str, bytes]]) -> Heading:
    digest, counts = hashlib.sha256(), Counter[str]()
    with path.open("wb") as file, _compressing(file) as packed, BufferedWriter(packed) as out:
        for table, row in rows:
            line = b'{"table":"%b","row":%b}\n' % (table.encode(), row)
            out.write(line)
            digest.update(line)
            counts[table] += 1
    return Heading(day=day, rows=dict(counts), sha256=digest.hexdigest())


def _compressing(file: IO[bytes]) -> gzip.GzipFile:
    # Without its name and the time, so that the same rows are the same bytes.
    return gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, compressed or not; what is wrong with it becomes a sentence."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if compressed else raw as file:
                yield cast("IO[bytes]", file)
    except _DAMAGED as error:
        raise DamagedError(f"{path} is damaged, or ends too early: {error} {_SAY}") from error
    except OSError as error:
        raise PlatformError(f"{path} cannot be read: {error.strerror or error}.") from error


def heading_of(path: Path) -> Heading | None:
    """Return the heading, or None if the file is none of ours."""
    with opened(path) as file:
        first = file.readline(1_000_000)
    try:
        heading = _heading(first)
    except msgspec.DecodeError:
        return None
    if heading.version != _VERSION:
        raise PlatformError(
            f"{path} was written by another version of the platform, in format {heading.version};"
            f" this one reads format {_VERSION}."
        )
    return heading


def verify(path: Path, heading: Heading) -> None:
    """Read the file through.

    Raises:
        DamagedError: It does not hold what its heading says.
    """
    digest, lines = hashlib.sha256(), 0
    with opened(path) as file:
        file.readline()
        for line in file:
            digest.update(line)
            lines += 1
    if digest.hexdigest() != heading.sha256:
        raise DamagedError(
            f"{path} is damaged: {sum(heading.rows.values()):,} lines were written, and these"
            f" {lines:,} are not the same. {_SAY}"
        )


def lines_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the rows, each with its table's name."""
    with opened(path) as file:
        file.readline()
        for line in file:
            row = _line(line)
            yield row.table, bytes(row.row)
