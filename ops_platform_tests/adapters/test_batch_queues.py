"""Batch's queues are read with as few calls as can be, and on AWS's bad days."""

import json
import logging
from collections import Counter
from datetime import timedelta

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import AwsBusyError
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.domain.capacity import Platform, Size
from ops_platform_tests.adapters.canned_aws import Answer, canned_aws
from ops_platform_tests.build import ACCOUNT, a_job_event
from ops_platform_tests.domain.history_events import described
from ops_platform_tests.fake_queues import FakeInstanceTypes, FakeQueues
from ops_platform_tests.fakes import FakeClock


@pytest.fixture
def batch() -> FakeQueues:
    """Return an account with a queue."""
    fake = FakeQueues(FakeClock())
    fake.queue("flows")
    return fake


def test_many_queues_and_environments_take_few_calls(batch: FakeQueues) -> None:
    """A hundred at a time; an environment that serves many queues is read once."""
    for number in range(104):
        batch.queue(f"queue-{number}", "flows-spot", batch.environment(f"spot-{number}"))
    api = batch.batch()

    queues = api.queues()

    assert len(queues) == 105
    assert [each.name for each in queues[-1].environments] == ["flows-spot", "spot-103"]
    assert api.calls == {"DescribeJobQueues": 2, "DescribeComputeEnvironments": 2}


def test_environments_come_page_by_page_too(batch: FakeQueues) -> None:
    """Whatever size Batch makes its pages of."""
    batch.queue("flows", *(batch.environment(f"spot-{number}") for number in range(3)))
    batch.api.page = 2

    (queue,) = batch.batch().queues()

    assert [each.name for each in queue.environments] == ["spot-0", "spot-1", "spot-2"]


def test_what_is_no_queue_of_jobs_is_left_out(batch: FakeQueues) -> None:
    """Its environments are not asked for, either."""
    batch.queue("training", "gone", jobQueueType="SAGEMAKER_TRAINING")

    assert [queue.name for queue in batch.batch().queues()] == ["flows"]


def test_an_account_without_queues_is_asked_once() -> None:
    """And for no environment."""
    api = FakeQueues(FakeClock()).batch()

    assert api.queues() == []
    assert api.calls == {"DescribeJobQueues": 1}


def test_sizes_are_those_that_instances_registered(batch: FakeQueues) -> None:
    """Where any was seen."""
    (queue,) = batch.batch(registered={"r5.xlarge": Size(4, 31_000)}).queues()

    types = queue.environments[0].types
    assert types is not None
    assert [(each.size.memory_mib, each.is_registered) for each in types] == [
        (16_384, False),
        (31_000, True),
    ]


def test_where_ec2_tells_nothing_nothing_can_be_proved(batch: FakeQueues) -> None:
    """The environment is told all the same."""
    batch.types = FakeInstanceTypes(())

    (queue,) = batch.batch().queues()

    assert (queue.environments[0].types, queue.environments[0].platform) == (None, Platform.EC2)


@pytest.mark.parametrize("attribute", ["forbidden", "missing"])
def test_without_a_snapshot_nobody_knows_the_head(batch: FakeQueues, attribute: str) -> None:
    """We may not ask for it, or Batch has no such operation."""
    getattr(batch.api, attribute).add("GetJobQueueSnapshot")

    assert batch.batch().front(batch.queue()) is None


def test_a_front_that_could_not_be_read_for_now_is_an_error(batch: FakeQueues) -> None:
    """To know nothing would be a wrong judgement."""
    batch.api.throttle = lambda action, _: action == "GetJobQueueSnapshot"

    with pytest.raises(AwsBusyError):
        batch.batch().front(batch.queue())


def test_throttling_of_every_call_slows_and_fails_nothing(batch: FakeQueues) -> None:
    """Each is asked twice; time passes meanwhile."""
    batch.api.throttle = lambda _, number: number % 2 == 1
    jobs = [batch.submit() for _ in range(3)]
    api, began = batch.batch(), batch.clock()

    (queue,) = api.queues()
    listed = [job.id for job in api.runnable(queue.arn)]
    found = [job.id for job in api.describe(listed)]
    api.cancel(jobs[0], "no need")

    assert sorted(listed) == sorted(found) == jobs
    assert batch.status(jobs[0]) == "FAILED"
    assert batch.api.requests == api.calls
    assert set(api.calls.values()) == {2, 4}
    assert batch.clock() - began > timedelta(seconds=1)


def test_a_cancellation_does_not_wait_until_its_reason_is_old(batch: FakeQueues) -> None:
    """The job may have started, failed and waited again meanwhile."""
    batch.api.throttle = lambda action, _: action == "CancelJob"
    job, began = batch.submit(), batch.clock()

    with pytest.raises(AwsBusyError):
        batch.batch().cancel(job, "no need")

    assert batch.clock() - began <= timedelta(seconds=5)


def test_a_list_takes_as_many_calls_as_it_has_pages(batch: FakeQueues) -> None:
    """And one more to see whether there are arrays."""
    for _ in range(25):
        batch.submit()
    batch.api.page = 10
    api = batch.batch()

    assert len(list(api.runnable(batch.queue()))) == 25

    assert api.calls == {"ListJobs": 4}


def test_only_as_much_is_read_as_is_asked_for(batch: FakeQueues) -> None:
    """Whoever has no time left stops."""
    for _ in range(25):
        batch.submit()
    batch.api.page = 10
    api = batch.batch()

    jobs = api.runnable(batch.queue())
    for _ in range(10):
        next(jobs)

    assert api.calls == {"ListJobs": 1}


def test_an_array_none_of_which_waits_is_not_asked_for_its_children(batch: FakeQueues) -> None:
    """Batch says so in the list itself."""
    parent, other = batch.submit_array(2), batch.submit_array(2)
    for index in range(2):
        batch.run(f"{parent}:{index}")
    api = batch.batch()

    listed = {job.id for job in api.runnable(batch.queue())}

    assert listed == {f"{other}:0", f"{other}:1"}
    assert api.calls == {"ListJobs": 3}


def test_a_job_that_was_cancelled_and_still_waits_is_marked(batch: FakeQueues) -> None:
    """Batch takes its time."""
    batch.api.slow_cancel = True
    job_id = batch.submit()
    api = batch.batch()
    api.cancel(job_id, "no need")

    (listed,) = api.runnable(batch.queue())

    assert (listed.id, listed.cancelled) == (job_id, True)
    batch.api.let_cancel()
    assert batch.status(job_id) == "FAILED"


def test_jobs_that_leave_while_a_list_is_read_do_no_harm(batch: FakeQueues) -> None:
    """Those that stay are listed all the same."""
    jobs = [batch.submit() for _ in range(30)]
    batch.api.page = 10
    api = batch.batch()
    listed = api.runnable(batch.queue())
    seen = [next(listed).id for _ in range(10)]
    for job_id in jobs[::2]:
        api.cancel(job_id, "no need")

    seen += [job.id for job in listed]

    assert set(jobs[1::2]) <= set(seen)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("expired", [1, 4])
def test_a_list_is_begun_anew_where_its_token_expired(batch: FakeQueues, expired: int) -> None:
    """A few times, each job once."""
    jobs = [batch.submit() for _ in range(25)]
    batch.api.page, batch.api.expired_tokens = 10, expired

    listed = [job.id for job in batch.batch().runnable(batch.queue())]

    assert sorted(listed) == jobs


def test_a_list_whose_tokens_always_expire_is_an_error(batch: FakeQueues) -> None:
    """With AWS's own words."""
    for _ in range(25):
        batch.submit()
    batch.api.page, batch.api.expired_tokens = 10, 99

    with pytest.raises(AwsError, match="nextToken is invalid"):
        list(batch.batch().runnable(batch.queue()))


def test_tokens_of_a_list_of_arrays_may_expire_while_their_children_are_read(
    batch: FakeQueues,
) -> None:
    """Each is expanded once."""
    arrays = [batch.submit_array(2) for _ in range(3)]
    batch.api.page = 2
    batch.api.on_call = lambda action: _expire(batch, action)
    api = batch.batch()

    listed = Counter(job.id for job in api.runnable(batch.queue()))

    assert listed == Counter(f"{array}:{index}" for array in arrays for index in range(2))


def _expire(batch: FakeQueues, action: str) -> None:
    if batch.api.requests[action] in {3, 4, 5}:
        batch.api.expired_tokens = 1


def test_the_parents_of_children_are_described_along_with_them(batch: FakeQueues) -> None:
    """In the same call, and told only where they were asked for."""
    other = batch.submit()
    parent = batch.submit_array(99, depends_on=[other])
    api = batch.batch()

    found = api.describe([f"{parent}:{index}" for index in range(99)])

    assert len(found) == 99
    assert {job.depends_on for job in found} == {(other,)}
    assert api.calls == {"DescribeJobs": 1}


def test_what_is_described_names_the_account_as_the_settings_do(batch: FakeQueues) -> None:
    """Rules and exemptions go by it."""
    (job,) = batch.batch().describe([batch.submit()])

    assert job.job.account == ACCOUNT


def test_a_job_that_cannot_be_understood_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log, and nothing of it but its id."""
    job = described(a_job_event(job_id="root"))
    odd = job | {"jobId": "odd", "tags": {"secret": ["x"]}}

    with (
        caplog.at_level(logging.WARNING),
        canned_aws(lambda _: Answer.of({"jobs": [odd | {"jobQueue": None}, job]})) as aws,
    ):
        client = AccountClients(aws.account).batch
        api = AwsBatchQueues(client, account="canned", types=FakeInstanceTypes())
        assert [each.id for each in api.describe(["odd", "root"])] == ["root"]

    assert "odd" in caplog.text
    assert "secret" not in caplog.text


def test_no_environment_of_a_container_is_kept() -> None:
    """Parameters are, to be compared, and stay out of every text."""
    with canned_aws(lambda _: Answer.of({"jobs": [described(a_job_event())]})) as aws:
        client = AccountClients(aws.account).batch
        api = AwsBatchQueues(client, account="canned", types=FakeInstanceTypes())
        (job,) = api.describe(["5b0e9d3c-job"])

    assert "a secret" not in repr(job)


def test_a_refused_cancellation_says_what_to_do() -> None:
    """It is the platform's role that lacks the action."""
    body = json.dumps({"code": "AccessDeniedException", "message": "no"})
    with canned_aws(lambda _: Answer(body, status=403)) as aws:
        client = AccountClients(aws.account).batch
        api = AwsBatchQueues(client, account="canned", types=FakeInstanceTypes())

        with pytest.raises(AwsError, match=r"cancel the job 8f2c.*policy") as refused:
            api.cancel("8f2c", "no need")

    assert refused.value.code == "AccessDeniedException"
