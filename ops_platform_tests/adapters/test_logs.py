"""A log that cannot be read is a named absence, never an error."""

from collections.abc import Iterable

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.logs import CloudWatchJobLogs
from ops_platform.domain.job_log import LogAbsence, LogTail
from ops_platform_tests.adapters.canned_aws import Answer, CannedAws, canned_aws


def _tail(aws: CannedAws, *, lines: int = 10) -> LogTail | LogAbsence:
    logs = CloudWatchJobLogs(AccountClients(aws.account).logs)
    return logs.tail(stream="job/default/1", limit_lines=lines, limit_bytes=1000)


def _page(lines: Iterable[str], *, token: str) -> Answer:
    events = [{"message": line, "timestamp": 0, "ingestionTime": 0} for line in lines]
    return Answer.of({"events": events, "nextBackwardToken": token, "nextForwardToken": "f/0"})


@pytest.mark.parametrize(
    ("code", "absence"),
    [
        # The job's role may log, and ours may still not read.
        ("AccessDeniedException", LogAbsence.FORBIDDEN),
        # The job never started, or its log was kept for less long than the event.
        ("ResourceNotFoundException", LogAbsence.MISSING),
        # A stream name with a colon is no stream name.
        ("InvalidParameterException", LogAbsence.UNAVAILABLE),
    ],
)
def test_an_error_of_aws_is_a_named_absence(code: str, absence: LogAbsence) -> None:
    """An alert without its log is better than no alert."""
    with canned_aws(lambda _: Answer.error(code)) as aws:
        assert _tail(aws) is absence


def test_an_empty_page_is_not_the_end() -> None:
    """CloudWatch may answer with nothing and a token to go on with."""
    pages = iter(
        [_page([], token="b/1"), _page(["three"], token="b/2"), _page(["two"], token="b/3")]
    )

    with canned_aws(lambda _: next(pages, _page([], token="b/3"))) as aws:
        assert _tail(aws) == LogTail(("two", "three"), truncated=False)


def test_pages_that_never_end_are_left_alone() -> None:
    """Reading stops after a few, whatever the tokens say."""
    numbers = iter(range(1000))

    with canned_aws(lambda _: _page([], token=f"b/{next(numbers)}")) as aws:
        assert _tail(aws) is LogAbsence.EMPTY
    assert len(aws.requests) < 20


def test_what_was_read_before_an_error_is_shown() -> None:
    """The newest page comes first, and is the one that matters."""
    pages = iter([_page(["the end"], token="b/1")])

    with canned_aws(lambda _: next(pages, Answer.error("AccessDeniedException"))) as aws:
        assert _tail(aws) == LogTail(("the end",), truncated=False)


def test_no_more_is_read_than_is_shown() -> None:
    """A log of a gigabyte costs one call."""
    with canned_aws(lambda _: _page("abc", token="b/1")) as aws:
        assert _tail(aws, lines=2) == LogTail(("b", "c"), truncated=True)
    (request,) = aws.requests
    assert request.fields["limit"] == 3
