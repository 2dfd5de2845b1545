"""Throttling slows a call and does not fail it, until it has taken too long."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import BUSY, AwsBusyError, PatientCaller
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform_tests.adapters.canned_aws import Answer, canned_aws


class Aws:
    """Answers with errors, as many as it was given, and then with success."""

    def __init__(self, *errors: str, again: bool = False) -> None:
        self.errors = list(errors)
        self.again = again
        self.asked: list[dict[str, Any]] = []
        self.pauses: list[float] = []

    def caller(self, patience: float = 60) -> PatientCaller:
        """Return a caller whose pauses are noted."""
        pacer = Pacer(sleep=lambda _: None)
        return PatientCaller(patience=patience, sleep=self.pauses.append, pacer=pacer)

    def answer(self, **arguments: Any) -> Mapping[str, Any]:
        """Answer a call."""
        self.asked.append(arguments)
        if not self.errors:
            return {"jobs": []}
        code = self.errors[0] if self.again else self.errors.pop(0)
        raise ClientError({"Error": {"Code": code, "Message": "it is so"}}, "ListJobs")


@pytest.mark.parametrize("code", sorted(BUSY))
def test_a_busy_aws_is_asked_again(code: str) -> None:
    """By whatever name it says so, and with the same words."""
    aws = Aws(code, code)
    caller = aws.caller()

    assert caller.call("ListJobs", "list jobs", aws.answer, jobQueue="flows") == {"jobs": []}

    assert aws.asked == [{"jobQueue": "flows"}] * 3
    assert caller.calls == {"ListJobs": 3}


def test_pauses_grow_and_are_cut_short_by_chance() -> None:
    """Lest all who were refused at once come back at once."""
    aws = Aws(*["ThrottlingException"] * 12)

    aws.caller(patience=200).call("ListJobs", "list jobs", aws.answer)

    longest = [0.5, 1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10]
    for pause, most in zip(aws.pauses, longest, strict=True):
        assert most / 2 <= pause <= most
    assert (
        len({round(pause / most, 6) for pause, most in zip(aws.pauses, longest, strict=True)}) > 3
    )


def test_patience_ends_with_an_error_of_its_own() -> None:
    """Whoever gets it ends for now, and has not failed."""
    aws = Aws("TooManyRequestsException", again=True)

    with pytest.raises(AwsBusyError, match=r"list jobs.*the next time goes on") as busy:
        aws.caller(patience=30).call("ListJobs", "list jobs", aws.answer)

    assert busy.value.code == "TooManyRequestsException"
    assert 15 <= sum(aws.pauses) <= 30


def test_a_refusal_is_not_asked_again() -> None:
    """To wait would not help."""
    aws = Aws("AccessDeniedException")
    caller = aws.caller()

    with pytest.raises(AwsError, match=r"list jobs.*policy") as refused:
        caller.call("ListJobs", "list jobs", aws.answer)

    assert not isinstance(refused.value, AwsBusyError)
    assert (caller.calls, aws.pauses) == ({"ListJobs": 1}, [])


def test_what_boto3_repeats_by_itself_is_counted() -> None:
    """AWS counts it, too."""
    body = json.dumps({"code": "TooManyRequestsException", "message": "too many"})
    answers = iter([Answer(body, status=429), Answer.of({"jobs": []})])

    with canned_aws(lambda _: next(answers)) as aws:
        caller = PatientCaller()
        client = AccountClients(aws.account).batch
        caller.call("DescribeJobs", "describe jobs", client.describe_jobs, jobs=["8f2c"])

        assert caller.calls == {"DescribeJobs": len(aws.requests)} == {"DescribeJobs": 2}


def test_a_call_waits_for_its_turn() -> None:
    """Those of others in the account need room, too."""
    waits: list[float] = []
    caller = PatientCaller(pacer=Pacer(clock=lambda: 0.0, sleep=waits.append))
    aws = Aws()

    for _ in range(8):
        caller.call("ListJobs", "list jobs", aws.answer)

    assert waits == pytest.approx([0.1, 0.2, 0.3])
