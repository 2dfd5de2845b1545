"""The logs of Batch jobs in CloudWatch Logs, read from their end."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError, explained
from ops_platform.domain.job_log import BATCH_LOG_GROUP, LogAbsence, LogTail, newest

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_log = logging.getLogger(__name__)

# The API's limit for one call; a page also ends at 1 MB.
_PAGE_LINES = 10_000
# CloudWatch may answer with empty pages before the first full one.
_PAGES = 8


class CloudWatchJobLogs:
    """CloudWatch Logs, as far as alerts read it; fulfils `JobLogs`."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client

    def tail(
        self, *, stream: str, limit_lines: int, limit_bytes: int, log_group: str = BATCH_LOG_GROUP
    ) -> LogTail | LogAbsence:
        """Return the newest lines of a stream, or why there are none; never raises for AWS.

        An alert without its log is better than no alert.
        """
        lines: list[str] = []
        absence = LogAbsence.EMPTY
        try:
            with explained(f"read the log stream {stream} of {log_group}"):
                # One line more than asked for tells whether anything is left out.
                for page in self._pages(log_group, stream, min(limit_lines + 1, _PAGE_LINES)):
                    lines = page + lines
                    if len(lines) > limit_lines or _size(lines) > limit_bytes:
                        break
        except AwsError as error:
            _log.warning("%s", error)
            absence = _absence(error)
        if not lines:
            return absence
        return newest(lines, limit_lines=limit_lines, limit_bytes=limit_bytes)

    def _pages(self, log_group: str, stream: str, size: int) -> Iterator[list[str]]:
        """Yield pages of lines, newest page first."""
        position: dict[str, Any] = {}
        for _ in range(_PAGES):
            answer = self._client.get_log_events(
                logGroupName=log_group,
                logStreamName=stream,
                startFromHead=False,
                limit=size,
                **position,
            )
            yield [event["message"] for event in answer["events"]]
            # The same token again means that the stream's beginning is reached.
            if position.get("nextToken") == answer["nextBackwardToken"]:
                return
            position = {"nextToken": answer["nextBackwardToken"]}


def _size(lines: list[str]) -> int:
    return sum(len(line) for line in lines)


def _absence(error: AwsError) -> LogAbsence:
    if error.code == "ResourceNotFoundException":
        return LogAbsence.MISSING
    return LogAbsence.FORBIDDEN if error.code in FORBIDDEN else LogAbsence.UNAVAILABLE
