"""The end of a job's log: as much of it as an alert can carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BATCH_LOG_GROUP = "/aws/batch/job"


class LogAbsence(StrEnum):
    """Why there is no log to show."""

    MISSING = "missing"
    EMPTY = "empty"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class LogTail:
    """The newest lines of a log, oldest first; ``truncated`` if some before them are left out."""

    lines: tuple[str, ...]
    truncated: bool


def newest(lines: Sequence[str], *, limit_lines: int, limit_bytes: int) -> LogTail:
    """Keep the newest lines that fit; of a last line that is too long by itself, its end."""
    kept: list[str] = []
    room = limit_bytes
    for line in reversed(lines[-limit_lines:]):
        size = len(line.encode())
        if size > room:
            break
        kept.append(line)
        room -= size
    if not kept:
        end = lines[-1].encode()[-limit_bytes:].decode(errors="ignore")
        return LogTail(lines=(end,), truncated=True)
    return LogTail(lines=tuple(reversed(kept)), truncated=len(kept) < len(lines))
