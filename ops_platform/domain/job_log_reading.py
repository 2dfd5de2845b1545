"""From the lines of a log to what is kept of it: the exception, and an end that may be shown."""

import re
from collections.abc import Sequence

from ops_platform.domain.job_log import LogAbsence, LogTail, newest
from ops_platform.domain.redaction import redact
from ops_platform.domain.story import JobLog
from ops_platform.domain.traceback import exception_line, readable

READ_LINES = 500
READ_BYTES = 65_536
"""So much is searched for the exception, above which its traceback and much else may stand."""
SHOWN_LINES = 50
SHOWN_BYTES = 8_192
# What Metaflow says of its own log files, after the exception and in every task's log.
_BOOKKEEPING = re.compile(r"\[save_logs\] upload_(?:start|success) ")
# What is no text, and half a pair of surrogates, which neither Postgres nor Slack takes.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def read_log(found: LogTail | LogAbsence) -> JobLog:
    """Return what is kept of a log's end: bounded, and without what must not be shown."""
    if isinstance(found, LogAbsence):
        return JobLog(exception=None, tail=None, truncated=False, absence=found)
    lines = _clean(found.lines)
    if not any(line.strip() for line in lines):
        return JobLog(exception=None, tail=None, truncated=False, absence=LogAbsence.EMPTY)
    shown = newest(lines, limit_lines=SHOWN_LINES, limit_bytes=SHOWN_BYTES)
    return JobLog(
        exception=exception_line(lines),
        tail="\n".join(shown.lines).strip("\n"),
        truncated=found.truncated or shown.truncated,
        absence=None,
    )


def _clean(lines: Sequence[str]) -> list[str]:
    """Return the lines as they may be shown; one message may hold many, as progress bars do."""
    kept = readable("\n".join(lines).splitlines())
    text = "\n".join(line for line in kept if not _BOOKKEEPING.match(line))
    cleaned = redact(_NO_TEXT.sub("", text)).split("\n")
    while cleaned and not cleaned[-1].strip():
        cleaned.pop()
    return cleaned
