"""The line of a log that says what a task died of.

Whatever comes last counts: the exception of a traceback, what Metaflow reports of an exception of
its own, or the signal that a shell saw. Every line is looked at once, by expressions that take time
in proportion to its length.
"""

import re
from collections.abc import Iterable, Sequence

LINE_LIMIT = 1000
# Metaflow decorates the lines that it keeps; those in CloudWatch Logs mostly have no decoration.
_DECORATION = re.compile(r"(?:\[!)?\[MFLOG\|0\|[^|\]]{1,40}\|[^|\]]{1,40}\|[^\]]{1,64}\]")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_HEADER = re.compile(r"(?P<margin>[ |+]{0,64})(?:Exception Group )?Traceback \(most recent call ")
# A file that Python cannot parse, if it is the one it was to run, has no header above it.
_UNPARSED = re.compile(r' {2}File ".{1,500}", line \d{1,9}$')
_EXCEPTION = re.compile(r"[A-Za-z_][\w.<>]{0,300}(?::\s|:?$)")
_ASIDE = re.compile(r"Exception ignored in|Error in atexit|--- Logging error ---")
_TASK_FAILED = re.compile(r"<flow .{1,300}> failed:$")
_HEADLINE = re.compile(r"    (?P<said>[A-Z].{0,200}):$")
_DEATH = re.compile(
    r"(?:.{0,80}: line \d{1,9}: +\d{1,9} )?(?P<said>(?:Killed|Aborted|Segmentation fault|Bus error"
    r"|Illegal instruction|Floating point exception)(?: \(core dumped\))?)(?:$|   )"
    r"|(?P<fatal>Fatal Python error: .{1,300})"
)
_COMPLAINT = re.compile(
    r"\s{0,40}(?:[\w.]{0,120}(?:Error|Exception)\b|(?i:\W{0,8}(?:fatal|error|panic)\b))"
    r"|.{0,900}(?:command not found|No such file or directory|Permission denied|Exec format error"
    r"|No space left on device|No module named \S{1,200})$"
)


def undecorated(line: str) -> str:
    """Return a line of a log without what Metaflow and terminals add to it."""
    return _COLOUR.sub("", _DECORATION.sub("", line, count=1)).rstrip()


def exception_line(lines: Sequence[str]) -> str | None:
    """Return the line that names what a task died of, None if none of the log's lines does."""
    reader = _Reader()
    for line in lines:
        reader.read(undecorated(line)[:LINE_LIMIT])
    found = reader.died_of or reader.aside or reader.complaint
    return found and found[:LINE_LIMIT]


class _Reader:
    """What was found in the lines so far, and what the next one may be a part of."""

    def __init__(self) -> None:
        self.died_of: str | None = None
        self.aside: str | None = None  # of what goes on although it failed
        self.complaint: str | None = None
        self._before = ""
        self._column: int | None = None  # where the text of the open traceback begins
        self._is_aside = False
        self._group: int | None = None  # the same of an exception group, until it is left

    def read(self, line: str) -> None:
        """Take one more line."""
        if not line.strip():
            return
        self._leave_group(line)
        if match := _HEADER.match(line):
            self._open(match)
        elif self._column is not None:
            self._look_for_the_exception(line, self._column)
        elif self._group is None:
            self._look_outside(line)
        self._before = line

    def _leave_group(self, line: str) -> None:
        if self._group is not None and not line.lstrip(" ").startswith(("|", "+")):
            self._group = None

    def _open(self, header: re.Match[str]) -> None:
        if self._group is None:  # what is within a group, its own line counts
            self._column = len(header["margin"])
            self._is_aside = _ASIDE.match(self._before) is not None

    def _look_for_the_exception(self, line: str, column: int) -> None:
        margin, text = line[:column], line[column:]
        if margin.strip(" |+") or not _EXCEPTION.match(text):
            return
        self._column = None
        self._group = column if "|" in margin else None
        if self._is_aside:
            self.aside = text
        else:
            self.died_of = text

    def _look_outside(self, line: str) -> None:
        if _UNPARSED.match(line):
            self._column, self._is_aside = 0, False
        elif match := _DEATH.match(line):
            self.died_of = match["said"] or match["fatal"]
        elif _TASK_FAILED.match(self._before) and (match := _HEADLINE.match(line)):
            self.died_of = match["said"]
        elif self.died_of is not None and self._before == f"    {self.died_of}:":
            self.died_of = f"{self.died_of}: {line.strip()}"
        elif _COMPLAINT.match(line):
            self.complaint = line.strip()


def readable(lines: Iterable[str]) -> list[str]:
    """Return the lines of a log as a person wants to read them."""
    return [undecorated(line) for line in lines]
