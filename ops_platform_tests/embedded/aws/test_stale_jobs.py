"""The cleanup of stale jobs against a whole account: real calls, real events, a real ledger."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.stale_policy import Policies, Policy
from ops_platform.operations.clean_queues import Cleaner
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.ingest_events import record
from ops_platform.settings.accounts import Account
from ops_platform_tests.embedded.aws.accounts import Aws, eventually
from ops_platform_tests.embedded.aws.queue_plans import Plans
from ops_platform_tests.fake_queues import FakeRunStopper
from ops_platform_tests.ledger_world import POLICY

# Past the two hours that a job in a queue that does not move has, and the minutes of an unfit one.
LATER = timedelta(hours=2, minutes=1)


@dataclass
class World:
    """An account, what the platform knows of it, and the cleanup as of now or later."""

    aws: Aws
    ledger: Ledger
    types: Ec2InstanceTypes
    plans: Plans = field(init=False)
    clients: AccountClients = field(init=False)

    def __post_init__(self) -> None:
        """Reach the account."""
        self.plans = Plans(self.aws)
        self.clients = clients_of(self.aws)

    def submit(self, queue: str, flow: str, **asked: Any) -> str:
        """Submit a job of a run of a flow; return its id when it waits."""
        parameters = {
            "metaflow.user": "SFN",
            "metaflow.owner": "ana",
            "metaflow.flow_name": flow,
            "metaflow.step_name": "start",
            "metaflow.run_id": f"run-of-{flow}",
        }
        job_id = self.aws.submit("exit 0", queue=queue, parameters=parameters, **asked)
        self.aws.until(job_id, "RUNNABLE", "SUCCEEDED")
        return job_id

    def clean(self, queue: str, *, later: timedelta = LATER, foreign: bool = False) -> Cleaned:
        """Take in the events so far, and clean a queue, some time from now."""
        told = [json.dumps(event).encode() for event in self.aws.events()]
        accounts = {self.aws.account.account_id: "staging"}
        record(self.ledger, told, accounts=accounts, policy=POLICY, now=now())
        batch = AwsBatchQueues(self.clients.batch, account="staging", types=self.types)
        return Cleaner(
            ledger=self.ledger,
            api=batch,
            types=self.types,
            runs=FakeRunStopper(),
            account="staging",
            policies=Policies(Policy(foreign=foreign)),
            clock=lambda: now() + later,
            asked_by="a test",
        ).clean(enforce=True, queue=queue)


def clients_of(aws: Aws) -> AccountClients:
    """Return the platform's clients of an account."""
    return AccountClients(
        Account(
            name="staging",
            aws_account_id=aws.account.account_id,
            region=aws.account.region,
            endpoint_url=aws.account.endpoint_url,
        )
    )


@pytest.fixture(scope="session")
def types(shared_aws: Aws) -> Ec2InstanceTypes:
    """What EC2 offers there, read once."""
    return Ec2InstanceTypes(clients_of(shared_aws).ec2)


@pytest.fixture
def world(aws: Aws, emptied_ledger: Ledger, types: Ec2InstanceTypes) -> World:
    """An account and an empty ledger."""
    return World(aws, emptied_ledger, types)


def test_a_job_that_fits_nothing_is_cancelled_and_the_one_behind_it_runs(world: World) -> None:
    """Not before its time; with the diagnosis for a reason, and the outcome as Batch tells it."""
    queue = world.plans.queue(world.plans.environment("r5.large", "r5.xlarge", most=4))
    huge = world.submit(queue, "SimulateCity", vcpus="999")
    behind = world.submit(queue, "SurveyStreets")
    assert world.clean(queue, later=timedelta(minutes=14)).cancelled == ()

    done = world.clean(queue, later=timedelta(minutes=16))

    assert done.trouble == ()
    (cancellation,) = done.cancelled
    assert (cancellation.job_id, cancellation.outcome) == (huge, "cancelled")
    assert (cancellation.flow, cancellation.owner) == ("SimulateCity", "ana")
    assert "999" in str(cancellation.diagnosis)
    job = world.aws.until(huge, "FAILED")
    assert job["statusReason"].startswith(STALE_MARK)
    assert job["isCancelled"]
    world.aws.until(behind, "SUCCEEDED")


def test_behind_jobs_that_run_nobody_is_stale(world: World) -> None:
    """The capacity is in use, however long."""
    queue = world.plans.queue(world.plans.environment(most=2))
    world.aws.until(world.aws.submit("sleep 60", vcpus="2", queue=queue), "RUNNING")
    waiting = world.submit(queue, "SurveyStreets", vcpus="2")

    assert world.clean(queue).cancelled == ()
    assert world.aws.job(waiting)["status"] == "RUNNABLE"


@pytest.mark.parametrize("trouble", ["disabled", "invalid", "paused"])
def test_an_environment_out_of_order_is_told_and_costs_no_job(world: World, trouble: str) -> None:
    """Disabled, without its role, or held at no vCPUs: the queue is at fault."""
    role = world.plans.role()
    environment = world.plans.environment(serviceRole=role)
    queue = world.plans.queue(environment)
    if trouble == "disabled":
        world.plans.change(environment, state="DISABLED")
    elif trouble == "invalid":
        world.plans.delete_role(role)
    else:
        world.plans.change(environment, computeResources={"maxvCpus": 0})
    waiting = world.submit(queue, "SurveyStreets")
    world.plans.reason(waiting)

    done = world.clean(queue)

    assert (done.cancelled, done.trouble) == ((), ())
    (blocked,) = done.blocked
    assert (blocked.queue, blocked.held_back) == (queue, 1)
    assert environment in blocked.sentence
    assert world.aws.job(waiting)["status"] == "RUNNABLE"


@pytest.mark.parametrize(
    ("kind", "words"), [("m5.large", "m5.large"), ("c5.large", "cannot tell why")]
)
def test_only_the_head_of_a_queue_that_does_not_move_goes(
    world: World, kind: str, words: str
) -> None:
    """EC2 has no such instance, or none comes up: those behind are given their turn."""
    queue = world.plans.queue(world.plans.environment(kind))
    head = world.submit(queue, "First")
    behind = world.submit(queue, "Second")
    world.plans.reason(head)

    done = world.clean(queue)

    assert [each.job_id for each in done.cancelled] == [head]
    assert words in str(done.cancelled[0].diagnosis)
    eventually(lambda: world.aws.job(behind)["status"] == "RUNNABLE")


def test_what_batch_itself_has_cancelled_is_not_cancelled_again(world: World) -> None:
    """A time limit of the queue was quicker, which is no trouble."""
    action = {
        "reason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        "state": "RUNNABLE",
        "action": "CANCEL",
        "maxTimeSeconds": 1,
    }
    environment = world.plans.environment()
    queue = world.plans.queue(environment, jobStateTimeLimitActions=[action])
    huge = world.submit(queue, "SimulateCity", vcpus="999")
    world.aws.until(huge, "FAILED")

    done = world.clean(queue)

    assert (done.waiting, done.cancelled, done.trouble) == (0, (), ())


def test_every_child_of_an_array_that_fits_nothing_goes_and_its_parent_with_them(
    world: World,
) -> None:
    """The parent is PENDING, so that only its children can be found to wait."""
    queue = world.plans.queue(world.plans.environment("r5.large"))
    parent = world.aws.submit("exit 0", vcpus="3", queue=queue, arrayProperties={"size": 3})
    world.aws.until(f"{parent}:2", "RUNNABLE")
    assert world.clean(queue).cancelled == ()

    done = world.clean(queue, foreign=True)

    assert {each.job_id for each in done.cancelled} == {f"{parent}:{index}" for index in range(3)}
    assert {each.outcome for each in done.cancelled} == {"cancelled"}
    assert world.aws.until(parent, "FAILED")["statusReason"] == "Array Child Job failed"


def test_a_gpu_that_no_type_has_is_named(world: World) -> None:
    """With a type that would have it, and what the queue's own have."""
    queue = world.plans.queue(world.plans.environment("g4dn.xlarge", "r5.large"))
    job_id = world.submit(queue, "TrainOnGpus", gpus="2")

    (cancellation,) = world.clean(queue).cancelled

    assert (cancellation.job_id, cancellation.outcome) == (job_id, "cancelled")
    assert "2 GPUs" in str(cancellation.diagnosis)


def test_a_disabled_queue_finishes_what_it_has_and_is_not_blocked(world: World) -> None:
    """It takes no new jobs; those in it are placed as ever, and wait for capacity as ever."""
    queue = world.plans.queue(world.plans.environment(most=2))
    world.aws.until(world.aws.submit("sleep 60", vcpus="2", queue=queue), "RUNNING")
    waiting = world.submit(queue, "SurveyStreets", vcpus="2")
    world.plans.batch.update_job_queue(jobQueue=queue, state="DISABLED")

    done = world.clean(queue)

    assert (done.cancelled, done.blocked) == ((), ())
    assert world.aws.job(waiting)["status"] == "RUNNABLE"
