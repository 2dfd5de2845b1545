"""A history is read page by page, within its bounds, with the children of a Distributed Map."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.histories import StepFunctionsHistories
from ops_platform.domain.execution_history import History
from ops_platform_tests.adapters.canned_aws import Answer, CannedAws, Request, canned_aws
from ops_platform_tests.build import EXECUTION_ARN, a_failed_job
from ops_platform_tests.domain.history_events import HistoryScript, cause_of

MAP_RUN = "arn:aws:states:eu-west-1:222222222222:mapRun:m/label:8f1e"
CHILDREN = [f"arn:aws:states:eu-west-1:222222222222:execution:m/label:{n}" for n in ("a", "b")]
Script = Callable[[Request], Answer]


def _failures(aws: CannedAws, *, seconds: float = 20, tick: float = 0) -> History:
    ticks = itertools.count()
    histories = StepFunctionsHistories(
        AccountClients(aws.account).step_functions, clock=lambda: next(ticks) * tick
    )
    return histories.failures(EXECUTION_ARN, seconds=seconds)


def _page(events: Any, *, more: str | None = None) -> Answer:
    told = [{**event, "timestamp": event["timestamp"].timestamp()} for event in events]
    return Answer.of({"events": told} | ({"nextToken": more} if more else {}))


def _failing(job_id: str) -> HistoryScript:
    script = HistoryScript()
    job = a_failed_job(job_id).latest
    script.failed(cause_of(job), previous=script.submitted(job_id))
    script.ended(error="States.TaskFailed", cause=cause_of(job))
    return script


def _paged(script: HistoryScript, size: int) -> Script:
    pages = script.pages(size)

    def answer(request: Request) -> Answer:
        at = int(request.fields.get("nextToken", 0))
        return _page(pages[at], more=str(at + 1) if at + 1 < len(pages) else None)

    return answer


def test_pages_are_followed_from_the_end() -> None:
    """The newest first, with what the tasks were given."""
    with canned_aws(_paged(_failing("root"), 2)) as aws:
        history = _failures(aws)

    assert [job.job_id for job in history.failed] == ["root"]
    asked = aws.requests[0].fields
    assert (asked["reverseOrder"], asked["includeExecutionData"]) == (True, True)
    assert not history.truncated


def test_a_history_without_a_failure_is_read_to_its_beginning_at_most() -> None:
    """AWS keeps 25,000 events; pages that never end are left alone."""
    script = HistoryScript()
    for number in range(60):
        script.submitted(f"job-{number}")
    numbers = itertools.count(1)
    endless = script.pages(4)[:-2]

    with canned_aws(lambda _: _page(endless[0], more=str(next(numbers)))) as aws:
        history = _failures(aws)

    assert history.truncated
    assert len(aws.requests) == 30


def test_reading_stops_when_the_time_is_up() -> None:
    """What was found until then is told."""
    script = _failing("root")
    script.failed("cut off {", previous=2)

    with canned_aws(_paged(script, 2)) as aws:
        history = _failures(aws, seconds=3, tick=1)

    assert history.truncated
    assert [job.job_id for job in history.failed] == ["root"]
    assert len(aws.requests) == 2


def _with_children(histories: Mapping[str, HistoryScript], more: str | None = None) -> Script:
    def answer(request: Request) -> Answer:
        if "mapRunArn" in request.fields:
            return Answer.of(
                {
                    "executions": [
                        {
                            "executionArn": arn,
                            "stateMachineArn": "m/label",
                            "name": arn[-1],
                            "status": "FAILED",
                            "startDate": 1.0,
                        }
                        for arn in CHILDREN
                    ],
                    **({"nextToken": more} if more else {}),
                }
            )
        return _page(histories[request.fields["executionArn"]].pages()[0])

    return answer


def _parent() -> HistoryScript:
    script = HistoryScript()
    script.event("MapRunStarted", mapRunStartedEventDetails={"mapRunArn": MAP_RUN})
    script.ended(error="States.ExceedToleratedFailureThreshold", cause="Too many failed.")
    return script


@pytest.mark.parametrize("more", [None, "there are more"])
def test_children_of_a_distributed_map_tell_which_jobs_failed(more: str | None) -> None:
    """Their parent only says that some did; more than some tens are not asked."""
    scripts = {EXECUTION_ARN: _parent()} | {arn: _failing(arn[-1]) for arn in CHILDREN}

    with canned_aws(_with_children(scripts, more)) as aws:
        history = _failures(aws)

    assert [job.job_id for job in history.failed] == ["a", "b"]
    assert history.error == "States.TaskFailed"
    assert history.truncated is (more is not None)
    assert aws.requests[1].fields["statusFilter"] == "FAILED"


def test_children_that_may_not_be_listed_hide_nothing_else() -> None:
    """The parent's history is better than nothing."""

    def answer(request: Request) -> Answer:
        if "mapRunArn" in request.fields:
            return Answer.error("AccessDeniedException")
        return _page(_parent().pages()[0])

    with canned_aws(answer) as aws:
        history = _failures(aws)

    assert (history.error, history.truncated) == ("States.ExceedToleratedFailureThreshold", True)


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_a_history_that_is_gone_is_no_error(code: str) -> None:
    """AWS keeps it for 90 days."""
    with canned_aws(lambda _: Answer.error(code)) as aws:
        assert _failures(aws) == History(gone=True)


def test_a_refusal_says_what_to_do() -> None:
    """It is the platform's role that lacks the action."""
    with (
        canned_aws(lambda _: Answer.error("AccessDeniedException")) as aws,
        pytest.raises(AwsError, match=rf"history of the execution {EXECUTION_ARN}.*policy"),
    ):
        _failures(aws)
