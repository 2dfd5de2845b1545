"""Whom a cleaning spares: the exempt, jobs of others, and the jobs of a queue that is at fault."""

from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.exemptions import Exemption
from ops_platform_tests.build import NOON
from ops_platform_tests.operations.stale_world import HUGE, World, counts, verdicts

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account in which nothing waits."""
    return World(emptied_ledger)


def exemption(**what: Any) -> tuple[Exemption, ...]:
    """Return one that lasts until tomorrow."""
    return (Exemption("they know", TOMORROW, **what),)


@pytest.mark.parametrize(
    ("exempt", "job"),
    [
        ({"flow": "Train*"}, {}),
        ({"tag": ("team", "sea*")}, {"tags": {"team": "search"}}),
        ({"parameter": ("keep", "yes")}, {"parameters": {"keep": "yes"}}),
    ],
)
def test_an_exempt_job_is_kept_until_the_exemption_ends(
    world: World, exempt: dict[str, Any], job: dict[str, Any]
) -> None:
    """Tags and parameters count as well, which only a description tells."""
    world.want(exemptions=exemption(**exempt))
    other = world.unfit(flow="OtherFlow")
    spared = world.unfit(**job)
    world.wait(hours=3)

    cleaned = world.clean()

    assert verdicts(cleaned)[spared] == ("keep", "exempt")
    assert world.ended_by_us() == [other]

    world.wait(days=1)
    world.clean()
    assert world.ended_by_us() == [other, spared]


def test_what_tells_a_job_to_be_exempt_is_not_kept(world: World) -> None:
    """A parameter may be a token."""
    world.want(exemptions=exemption(parameter=("metaflow.production_token", "*")))
    world.unfit(parameters={"metaflow.production_token": "secret"})
    world.wait(hours=3)

    assert "secret" not in repr(world.clean())


def test_whoever_is_exempt_is_not_announced_either(world: World) -> None:
    """Before an owner would be warned, Batch is asked for the tags."""
    world.want(exemptions=exemption(tag=("team", "search")), warn_before=timedelta(minutes=5))
    warned, exempt = world.unfit(), world.unfit(tags={"team": "search"})
    world.wait(minutes=12)

    cleaned = world.clean()

    assert verdicts(cleaned) == {warned: ("warn", "cancelled soon"), exempt: ("keep", "exempt")}
    assert cleaned.concerns == {warned, exempt}


def test_jobs_of_others_are_never_touched(world: World) -> None:
    """Unless the policy opts in; that their head blocks the queue is told."""
    foreign = world.unfit(flow=None, heard=False)
    world.wait(hours=3)

    cleaned = world.clean()

    assert verdicts(cleaned) == {foreign: ("keep", "not Metaflow's")}
    assert [queue.blocker for queue in cleaned.blocked] == [foreign]

    world.want(foreign=True)
    assert world.clean().blocked == ()
    assert world.ended_by_us() == [foreign]


def test_one_whose_end_another_has_asked_for_is_left_to_it(world: World) -> None:
    """Such as AWS's own time-limit action, whose words stay the reason."""
    job = world.unfit()
    world.batch.api.slow_cancel = True
    world.batch.api.cancel_job(jobId=job, reason="Canceled by JobStateTimeLimit action")
    world.wait(hours=3)

    cleaned = world.clean()

    assert verdicts(cleaned) == {job: ("keep", "already cancelled")}
    assert (world.calls("CancelJob"), cleaned.blocked) == (1, ())


def test_many_runs_at_once_are_the_trouble_of_their_queue(world: World) -> None:
    """None is cancelled, the queue is reported once, and another queue is no worse for it."""
    world.want(breaker=3)
    world.batch.queue("other")
    other = world.unfit("other")
    for _ in range(3):
        world.unfit()
    world.wait(minutes=20)

    cleaned = world.clean()

    assert world.ended_by_us() == [other]
    assert counts(cleaned)["warn", "the queue is at fault"] == 3
    (blocked,) = cleaned.blocked
    assert (blocked.queue, blocked.held_back, blocked.waiting) == ("flows", 3, 3)
    assert "3 runs" in blocked.sentence
    assert blocked.since == NOON


def test_jobs_of_one_run_are_not_many_runs(world: World) -> None:
    """A wide foreach that fits nothing is that run's own trouble."""
    world.want(breaker=3)
    for _ in range(5):
        world.unfit(run="wide")
    world.wait(minutes=20)

    assert len(world.clean().cancelled) == 5


def test_an_operator_may_insist(world: World) -> None:
    """Then as many are cancelled as at any other time."""
    world.want(breaker=3, most=2)
    for _ in range(4):
        world.unfit()
    world.wait(minutes=20)

    cleaned = world.clean(despite_fault=True)

    assert len(cleaned.cancelled) == len(world.ended_by_us()) == 2
    assert cleaned.blocked == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "DISABLED"}, "is disabled"),
        ({"status": "INVALID", "status_reason": "CLIENT_ERROR - no such role"}, "no such role"),
        ({"max_vcpus": 0}, "0"),
    ],
)
def test_for_an_environment_out_of_order_no_job_is_cancelled(
    world: World, change: dict[str, Any], words: str
) -> None:
    """Not even one; the queue is reported, in words that say what to repair."""
    world.batch.environment("flows-spot", **change)
    job = world.submit()
    world.wait(hours=3)

    cleaned = world.clean()

    assert (cleaned.cancelled, world.calls("CancelJob")) == ((), 0)
    assert verdicts(cleaned) == {job: ("warn", "the queue is at fault")}
    (blocked,) = cleaned.blocked
    assert words in f"{blocked.sentence} {blocked.advice}"
    assert (blocked.held_back, blocked.blocker) == (1, None)


def test_a_queue_whose_capacity_is_in_use_is_not_blocked(world: World) -> None:
    """A job that runs for days holds it, and somebody knows."""
    holder = world.submit(vcpus=4)
    other = world.submit(vcpus=4)
    for job in (holder, other):
        world.batch.run(job)
        world.hear(job)
    waiting = world.submit(vcpus=4)
    world.wait(hours=10)

    cleaned = world.clean()

    assert verdicts(cleaned) == {waiting: ("warn", "waits its turn")}
    assert (cleaned.cancelled, cleaned.blocked) == ((), ())


@pytest.mark.parametrize(
    "said",
    [
        "UNDETERMINED - Batch job is blocked, root cause is undetermined.",
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) cannot meet the requirement.",
    ],
)
def test_one_that_waits_for_the_memory_of_others_is_spared_whatever_batch_says(
    world: World, said: str
) -> None:
    """All instances there may be are up, and few vCPUs hold all of their memory."""
    world.batch.environment("flows-spot", types=("r5.large",), max_vcpus=4, desired_vcpus=4)
    for _ in range(2):
        holder = world.submit(vcpus=1, memory=15_000)
        world.batch.run(holder)
        world.hear(holder)
    waiting = world.submit(vcpus=1, memory=15_000)
    world.batch.explain(waiting, said)
    world.wait(hours=3)

    cleaned = world.clean()

    assert verdicts(cleaned) == {waiting: ("warn", "waits its turn")}
    assert (cleaned.cancelled, cleaned.blocked) == ((), ())


def test_an_array_of_which_one_child_is_too_large_loses_that_one_only(world: World) -> None:
    """The others wait for the head to go, and are not stale themselves."""
    parent = world.batch.submit_array(3)
    world.batch.job(f"{parent}:0").detail["container"]["resourceRequirements"][0]["value"] = str(
        HUGE
    )
    world.wait(minutes=20)

    world.clean()

    assert world.ended_by_us() == [f"{parent}:0"]
