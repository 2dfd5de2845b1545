"""Lists are read page by page, no further than needed, and errors are clear sentences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform_tests.adapters.canned_aws import Answer, CannedAws, Request, canned_aws

_MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:train"
_EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:train:run"
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_BASE = 1_772_452_800


@contextmanager
def _answering(answer: Callable[[Request], Answer]) -> Iterator[tuple[StepFunctions, CannedAws]]:
    with canned_aws(answer) as aws:
        yield StepFunctions(AccountClients(aws.account).step_functions), aws


def _pages(request: Request) -> Answer:
    """Answer with three pages of two executions, each stopped a second before the last."""
    page = int(request.fields.get("nextToken", 0))
    items = [
        {
            "executionArn": f"{_EXECUTION}-{number}",
            "stateMachineArn": _MACHINE,
            "name": f"run-{number}",
            "status": "FAILED",
            "startDate": _BASE - 100,
            "stopDate": _BASE - number + 0.123,
        }
        for number in (2 * page, 2 * page + 1)
    ]
    return Answer.of({"executions": items} | ({"nextToken": str(page + 1)} if page < 2 else {}))


def _described(**changes: Any) -> dict[str, Any]:
    return {
        "executionArn": _EXECUTION,
        "stateMachineArn": _MACHINE,
        "name": "run",
        "status": "FAILED",
        "startDate": _BASE - 100,
        "stopDate": _BASE + 0.123,
        "input": '{"Parameters": "{}"}',
        **changes,
    }


def test_all_pages_are_read_in_the_largest_size_there_is() -> None:
    """A call costs the same for one execution as for a thousand."""
    with _answering(_pages) as (api, aws):
        listed = list(api.list_executions(_MACHINE, status="FAILED", since=_LONG_AGO))

    assert [each.arn[-1] for each in listed] == list("012345")
    assert [request.fields["maxResults"] for request in aws.requests] == [1000] * 3
    assert {request.fields["statusFilter"] for request in aws.requests} == {"FAILED"}


def test_no_page_is_read_beyond_the_moment_asked_for() -> None:
    """Nor one before somebody wants what is on it."""
    since = datetime.fromtimestamp(_BASE - 1, UTC)
    with _answering(_pages) as (api, aws):
        listed = api.list_executions(_MACHINE, status="FAILED", since=since)
        assert aws.requests == []
        assert [each.arn[-1] for each in listed] == ["0", "1"]
        assert len(aws.requests) == 2


def test_express_machines_are_left_out() -> None:
    """They keep no list of executions, and AWS would refuse to give one."""
    machines = [
        {"stateMachineArn": f"{_MACHINE}-{kind}", "name": kind, "type": kind, "creationDate": _BASE}
        for kind in ("EXPRESS", "STANDARD")
    ]
    with _answering(lambda _: Answer.of({"stateMachines": machines})) as (api, _):
        assert [machine.arn for machine in api.list_machines()] == [f"{_MACHINE}-STANDARD"]


def test_a_throttled_list_says_what_to_do() -> None:
    """After the retries, which wait longer each time."""
    with (
        _answering(lambda _: Answer.error("ThrottlingException")) as (api, aws),
        pytest.raises(AwsError, match=r"list the executions of .*ThrottlingException.*goes on"),
    ):
        list(api.list_executions(_MACHINE, status="FAILED", since=_LONG_AGO))
    assert len(aws.requests) == 3


def test_a_failed_jobs_description_is_not_taken_over() -> None:
    """It is the cause that AWS gives, and holds the container's environment."""
    cause = '{"JobId": "1", "StatusReason": "Host gone", "Container": {"Environment": ["xoxb-1"]}}'
    with _answering(lambda _: Answer.of(_described(cause=cause))) as (api, _):
        event = api.describe_execution(_EXECUTION)

    assert event is not None
    assert event.cause == "Host gone"
    assert "xoxb" not in repr(event)


def test_texts_that_no_table_can_hold_are_mended() -> None:
    """As in events: U+0000, and halves of characters that AWS cut."""
    with _answering(lambda _: Answer.of(_described(cause="a\x00b\ud83d", error="E"))) as (api, _):
        event = api.describe_execution(_EXECUTION)

    assert event is not None
    assert (event.error, event.cause) == ("E", "a\ufffdb\ufffd")


def test_a_redriven_execution_that_runs_changed_when_it_was_redriven() -> None:
    """That is what puts it after its failure."""
    again = _described(status="RUNNING", redriveDate=_BASE + 60.5)
    del again["stopDate"]
    with _answering(lambda _: Answer.of(again)) as (api, _):
        event = api.describe_execution(_EXECUTION)

    assert event is not None
    assert event.time == event.redriven_at == datetime.fromtimestamp(_BASE + 60.5, UTC)
    assert event.id == f"api:{_EXECUTION}:RUNNING:{_BASE + 60}500"


def test_an_execution_that_makes_no_sense_is_a_clear_error() -> None:
    """A name that the ledger cannot hold."""
    with (
        _answering(lambda _: Answer.of(_described(name="x" * 600))) as (api, _),
        pytest.raises(AwsError, match=rf"understand what AWS says of the execution {_EXECUTION}"),
    ):
        api.describe_execution(_EXECUTION)
