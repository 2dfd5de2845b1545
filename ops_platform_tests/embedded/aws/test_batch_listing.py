"""ListJobs: exactly one owner, one filter, pages that neither skip nor repeat."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans

EVER = [{"name": "AFTER_CREATED_AT", "values": ["0"]}]


@pytest.fixture
def plans(aws: Aws) -> Plans:
    """What makes queues."""
    return Plans(aws)


@pytest.fixture
def stuck(aws: Aws, plans: Plans) -> tuple[str, list[str]]:
    """A queue of five jobs that stay RUNNABLE, and their ids, newest first."""
    queue = plans.queue(plans.environment())
    ids = [aws.submit("exit 0", vcpus="3", queue=queue) for _ in range(5)]
    aws.until(ids[-1], "RUNNABLE")
    return queue, ids[::-1]


def _ids(answer: dict[str, Any]) -> list[str]:
    return [job["jobId"] for job in answer["jobSummaryList"]]


@pytest.mark.parametrize(
    "owners",
    [
        {},
        {"jobQueue": "metaflow", "arrayJobId": "x"},
        {"jobQueue": "metaflow", "multiNodeJobId": "x"},
        {"arrayJobId": "x", "multiNodeJobId": "x"},
    ],
)
def test_exactly_one_owner_is_to_be_given(plans: Plans, owners: dict[str, str]) -> None:
    """Neither none nor two."""
    with pytest.raises(ClientError, match="Exactly one of"):
        plans.batch.list_jobs(**owners)


def test_an_unknown_queue_is_refused(plans: Plans) -> None:
    """By its name or its ARN."""
    for name in ("nowhere", "arn:aws:batch:us-east-1:999999999999:job-queue/metaflow"):
        with pytest.raises(ClientError, match="does not exist"):
            plans.batch.list_jobs(jobQueue=name)


def test_without_a_status_only_running_jobs_are_listed(
    aws: Aws, plans: Plans, stuck: tuple[str, list[str]]
) -> None:
    """The trap of ListJobs: those that wait have to be asked for."""
    queue, waiting = stuck
    assert _ids(plans.batch.list_jobs(jobQueue=queue)) == []
    assert _ids(plans.batch.list_jobs(jobQueue=queue, jobStatus="RUNNABLE")) == waiting
    running = aws.submit("sleep 30")
    aws.until(running, "RUNNING")
    assert _ids(plans.batch.list_jobs(jobQueue="metaflow")) == [running]


def test_a_page_goes_on_where_the_last_one_ended(
    aws: Aws, plans: Plans, stuck: tuple[str, list[str]]
) -> None:
    """Though the last job shown is gone, and a new one has come meanwhile."""
    queue, waiting = stuck
    asked = {"jobQueue": queue, "jobStatus": "RUNNABLE", "maxResults": 2}
    first = plans.batch.list_jobs(**asked)
    assert _ids(first) == waiting[:2]
    plans.batch.cancel_job(jobId=waiting[1], reason="gone")
    aws.until(aws.submit("exit 0", vcpus="3", queue=queue), "RUNNABLE")

    second = plans.batch.list_jobs(**asked, nextToken=first["nextToken"])
    assert _ids(second) == waiting[2:4]
    third = plans.batch.list_jobs(**asked, nextToken=second["nextToken"])
    assert _ids(third) == waiting[4:]
    assert "nextToken" not in third


def test_a_token_is_for_its_own_request_and_for_a_while(
    plans: Plans, stuck: tuple[str, list[str]]
) -> None:
    """Another status, nonsense, or too late: a ClientException, and one begins anew."""
    queue, _ = stuck
    asked = {"jobQueue": queue, "jobStatus": "RUNNABLE", "maxResults": 2}
    token = plans.batch.list_jobs(**asked)["nextToken"]
    assert plans.batch.list_jobs(**asked, nextToken=token)["jobSummaryList"]

    wrong = [
        asked | {"nextToken": "nonsense"},
        asked | {"nextToken": ""},
        asked | {"nextToken": token, "jobStatus": "FAILED"},
    ]
    for request in wrong:
        with pytest.raises(ClientError, match="nextToken is invalid") as refused:
            plans.batch.list_jobs(**request)
        assert refused.value.response["Error"]["Code"] == "ClientException"
    time.sleep(2.1)
    with pytest.raises(ClientError, match="expired"):
        plans.batch.list_jobs(**asked, nextToken=token)


def test_a_filter_makes_the_status_count_for_nothing(
    aws: Aws, plans: Plans, stuck: tuple[str, list[str]]
) -> None:
    """Ended jobs are among those listed, although RUNNABLE ones were asked for."""
    queue, waiting = stuck
    plans.batch.cancel_job(jobId=waiting[0], reason="gone")
    aws.until(waiting[0], "FAILED")
    listed = plans.batch.list_jobs(jobQueue=queue, jobStatus="RUNNABLE", filters=EVER)
    assert _ids(listed) == waiting


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ([*EVER, {"name": "JOB_NAME", "values": ["x"]}], "Only one filter"),
        ([{"name": "OWNER", "values": ["x"]}], "OWNER is not known"),
    ],
)
def test_one_filter_that_is_known_may_be_given(
    plans: Plans, filters: list[dict[str, Any]], sentence: str
) -> None:
    """As a ClientException."""
    with pytest.raises(ClientError, match=sentence):
        plans.batch.list_jobs(jobQueue="metaflow", filters=filters)


def test_a_filter_shows_a_hundred_at_a_time_and_a_status_a_thousand(aws: Aws, plans: Plans) -> None:
    """Whatever more was asked for."""
    queue = plans.queue(plans.environment())
    definition = aws.definition("true", vcpus="3")
    for number in range(101):
        plans.batch.submit_job(jobName=f"n-{number}", jobQueue=queue, jobDefinition=definition)
    by_status = {"jobQueue": queue, "jobStatus": "RUNNABLE"}
    eventually(lambda: len(_ids(plans.batch.list_jobs(**by_status))) == 101, what="all of them")

    page = plans.batch.list_jobs(jobQueue=queue, filters=EVER, maxResults=1000)
    assert len(_ids(page)) == 100
    rest = plans.batch.list_jobs(
        jobQueue=queue, filters=EVER, maxResults=1000, nextToken=page["nextToken"]
    )
    assert len(_ids(rest)) == 1
    by_name = [{"name": "JOB_NAME", "values": ["N-10*"]}]
    assert len(_ids(plans.batch.list_jobs(jobQueue=queue, filters=by_name))) == 2
    plans.batch.update_job_queue(jobQueue=queue, state="DISABLED")
    plans.batch.delete_job_queue(jobQueue=queue)


def test_an_array_is_pending_and_its_children_are_listed_by_its_id(aws: Aws, plans: Plans) -> None:
    """A listing of what is RUNNABLE in the queue shows neither; a filter does not reach them."""
    queue = plans.queue(plans.environment(most=2))
    parent = aws.submit("sleep 30", vcpus="2", queue=queue, arrayProperties={"size": 3})
    aws.until(f"{parent}:0", "RUNNING")

    assert aws.job(parent)["status"] == "PENDING"
    assert _ids(plans.batch.list_jobs(jobQueue=queue, jobStatus="RUNNABLE")) == []
    pending = plans.batch.list_jobs(jobQueue=queue, jobStatus="PENDING")
    assert _ids(pending) == [parent]
    properties = pending["jobSummaryList"][0]["arrayProperties"]
    assert (properties["size"], properties["statusSummary"]["RUNNABLE"]) == (3, 2)

    listed = plans.batch.list_jobs
    assert _ids(listed(arrayJobId=parent)) == [f"{parent}:0"]
    waiting = listed(arrayJobId=parent, jobStatus="RUNNABLE")
    assert set(_ids(waiting)) == {f"{parent}:1", f"{parent}:2"}
    assert {job["arrayProperties"]["index"] for job in waiting["jobSummaryList"]} == {1, 2}
    assert set(_ids(listed(arrayJobId=parent, jobStatus="RUNNABLE", filters=EVER))) == set(
        _ids(waiting)
    )
    one = listed(arrayJobId=parent, jobStatus="RUNNABLE", maxResults=1)
    other = listed(
        arrayJobId=parent, jobStatus="RUNNABLE", maxResults=1, nextToken=one["nextToken"]
    )
    assert set(_ids(one) + _ids(other)) == set(_ids(waiting))
