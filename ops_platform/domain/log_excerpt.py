"""What a message shows of a log's end: the flow's own frames, and those whole."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ops_platform.domain.mrkdwn import escape, fence
from ops_platform.domain.story import JobLog
from ops_platform.domain.words import counted

# A traceback of an exception group has a margin of its own.
_FRAME = re.compile(r'(?P<margin>[ |+]{0,64}  )File "(?P<path>.{1,500})", line \d{1,9}, in ')
_REPEATED = re.compile(r"[ |+]{0,64}\[Previous line repeated (?P<times>\d{1,9}) more times?\]$")
_METAFLOWS = re.compile(
    r"/(?:\.mf_code|site-packages|dist-packages|metaflow)/metaflow/|(?:^|/)\.mf_code/metaflow/"
)
_INNER = re.compile(r"[ |+]{0,64}    \S")
_MARKS = re.compile(r"[ |]{0,1000}[~^][ ~^]{0,1000}$")
_FENCE = 8


@dataclass(frozen=True, slots=True)
class _Part:
    """A frame with its source, or any other line; ``metaflows`` counts frames of Metaflow."""

    lines: Sequence[str]
    metaflows: int = 0


def excerpt(log: JobLog, limit: int) -> str:
    """Return the end of a log as a block of code, without frames of Metaflow; empty if none.

    It begins with a whole frame, or a line of none, unless the last frame alone is too long.
    """
    lines = (log.tail or "").split("\n")
    parts = [*_told(_parts(_without_torn_frame(lines) if log.truncated else lines))]
    room, first = limit - _FENCE, len(parts)
    while first and (size := _size(parts[first - 1])) <= room:
        first -= 1
        room -= size + 1
    kept = parts[first:] or parts[-1:]
    return fence("\n".join(line for part in kept for line in part.lines), limit)


def _size(part: _Part) -> int:
    return len(escape("\n".join(part.lines)))


def _without_torn_frame(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines without those of a frame whose own first line was cut off."""
    beyond = (at for at, line in enumerate(lines) if not _INNER.match(line) or _FRAME.match(line))
    end = next(beyond, len(lines))
    goes_on = end < len(lines) and (_FRAME.match(lines[end]) or _REPEATED.match(lines[end]))
    torn = goes_on or any(map(_MARKS.match, lines[:end]))
    return lines[end:] if torn else lines


def _parts(lines: Iterable[str]) -> Iterator[_Part]:
    """Yield the frames of tracebacks with what belongs to them, and all other lines."""
    frame: list[str] = []
    inner = ""
    for line in lines:
        found = _FRAME.match(line)
        if frame and not found and (line.startswith(inner) or _REPEATED.match(line)):
            frame.append(line)
            continue
        if frame:
            yield _frame(frame)
        frame, inner = ([line], f"{found['margin']}  ") if found else ([], "")
        if not found:
            yield _Part([line])
    if frame:
        yield _frame(frame)


def _frame(lines: Sequence[str]) -> _Part:
    found = _FRAME.match(lines[0])
    if found is None or not _METAFLOWS.search(found["path"]):
        return _Part(lines)
    repeated = filter(None, map(_REPEATED.match, lines))
    times = 1 + sum(int(again["times"]) for again in repeated)
    return _Part([found["margin"]], metaflows=times)


def _told(parts: Iterable[_Part]) -> Iterator[_Part]:
    """Yield the parts with one line for each run of frames of Metaflow."""
    for is_metaflows, run in groupby(parts, lambda part: part.metaflows > 0):
        if not is_metaflows:
            yield from run
            continue
        dropped = [*run]
        number = sum(part.metaflows for part in dropped)
        frames = counted(number, "frame of Metaflow", "frames of Metaflow")
        yield _Part([f"{dropped[0].lines[0]}… {frames}"])
