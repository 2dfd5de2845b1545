"""Jobs are asked for a hundred at a time, and what AWS answers is taken with care."""

import json
import logging

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.batch import AwsBatchJobs
from ops_platform_tests.adapters.canned_aws import Answer, CannedAws, Request, canned_aws
from ops_platform_tests.build import TASK_EXITED, a_failed_job, after
from ops_platform_tests.domain.history_events import described

JOB = a_failed_job("root", stop=30.25).latest


def _jobs(aws: CannedAws, pauses: list[float] | None = None) -> AwsBatchJobs:
    sleep = (pauses if pauses is not None else []).append
    return AwsBatchJobs(AccountClients(aws.account).batch, sleep=sleep)


def _error(code: str, status: int) -> Answer:
    # Batch's is another protocol than that of most services.
    return Answer(json.dumps({"code": code, "message": f"{code} it is"}), status=status)


def _all(_: Request) -> Answer:
    return Answer.of({"jobs": [described(JOB)]})


def test_a_job_is_told_at_the_millisecond_it_stopped() -> None:
    """An event of EventBridge has whole seconds."""
    with canned_aws(_all) as aws:
        (found,) = _jobs(aws).describe(["root"])

    assert (found.time, found.stopped_at) == (after(30.25), after(30.25))
    assert (found.status_reason, found.exit_code) == (TASK_EXITED, 1)


def test_neither_environment_nor_command_is_kept() -> None:
    """They may hold tokens; of the command only the owner's tag is read."""
    job = described(JOB)
    job["container"]["command"] = ["bash", "-c", "run --token secret --tag owner:zoe"]

    with canned_aws(lambda _: Answer.of({"jobs": [job]})) as aws:
        (found,) = _jobs(aws).describe(["root"])

    assert found.owner == "zoe"
    assert "secret" not in repr(found)


def test_many_jobs_are_asked_for_slowly() -> None:
    """The limit is shared with whoever runs flows in the account."""
    pauses: list[float] = []

    with canned_aws(_all) as aws:
        _jobs(aws, pauses).describe([f"job-{number}" for number in range(250)])

    assert [len(request.fields["jobs"]) for request in aws.requests] == [100, 100, 50]
    assert len(pauses) == 2


def test_throttling_is_waited_out() -> None:
    """Batch allows few calls, and says so with 429."""
    answers = iter([_error("TooManyRequestsException", 429), _all(Request({}, ""))])

    with canned_aws(lambda _: next(answers)) as aws:
        assert [job.job_id for job in _jobs(aws).describe(["root"])] == ["root"]


def test_a_refusal_says_what_to_do() -> None:
    """It is the platform's role that lacks the action."""
    with (
        canned_aws(lambda _: _error("AccessDeniedException", 403)) as aws,
        pytest.raises(AwsError, match=r"describe 1 jobs.*policy") as refused,
    ):
        _jobs(aws).describe(["root"])
    assert refused.value.code == "AccessDeniedException"


def test_a_job_that_cannot_be_understood_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log, and nothing of it but its id."""
    odd = described(JOB) | {"jobId": "odd", "jobQueue": "no queue, secret"}

    with (
        caplog.at_level(logging.WARNING),
        canned_aws(lambda _: Answer.of({"jobs": [odd, described(JOB)]})) as aws,
    ):
        assert [job.job_id for job in _jobs(aws).describe(["odd", "root"])] == ["root"]

    assert "odd" in caplog.text
    assert "secret" not in caplog.text
