"""In no situation at all is a job blamed that may be healthy."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.cancelling import LONGEST_REASON, cancel_reason
from ops_platform.domain.capacity import (
    Environment,
    Holder,
    InstanceType,
    Platform,
    Position,
    Queue,
    Situation,
    Size,
)
from ops_platform.domain.causes import Cause, Fault
from ops_platform.domain.diagnosis import Diagnosis, diagnose
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why, judge
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import NOON, after
from ops_platform_tests.build_stale import a_queue, an_environment
from ops_platform_tests.domain.stuck_world import HOUR, ME, NOW, OFFERED, asking

SAID = (
    None,
    "Host EC2 (instance i-1) terminated.",
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested",
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s)",
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement",
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch",
    "ACTION_REQUIRED - CE(s)",
    "UNDETERMINED - Batch job is blocked",
)
sizes = st.builds(
    Size,
    st.sampled_from([0, 0.25, 1, 2, 4, 5, 16, 64, 999]),
    st.sampled_from([0, 512, 4096, 15_500, 15_501, 31_300, 32_768, 262_144, 9_999_999]),
    st.sampled_from([0, 0, 1, 8]),
)
types = st.builds(
    InstanceType,
    st.sampled_from(["r5.large", "r5.xlarge", "m6g.large", "g4dn.xlarge"]),
    sizes,
    st.booleans(),
)
environments = st.builds(
    an_environment,
    st.sampled_from(["one", "two"]),
    state=st.sampled_from(["ENABLED", "ENABLED", "DISABLED"]),
    status=st.sampled_from(["VALID", "VALID", "INVALID", "UPDATING", "CREATING"]),
    status_reason=st.sampled_from([None, "CLIENT_ERROR - " + "no such subnet " * 40]),
    platform=st.sampled_from(Platform),
    max_vcpus=st.sampled_from([None, 0, 4, 256]),
    desired_vcpus=st.sampled_from([None, 0, 3, 256]),
    types=st.none() | st.lists(types, max_size=3).map(tuple),
)
queues = st.builds(
    lambda found, **known: a_queue(environments=tuple(found), **known),
    st.lists(environments, max_size=3),
    state=st.sampled_from(["ENABLED", "DISABLED"]),
    status=st.sampled_from(["VALID", "INVALID", "UPDATING"]),
    fair_share=st.booleans(),
)
moments = st.none() | st.integers(0, 3 * HOUR).map(after)
positions = st.builds(Position, st.sampled_from([ME, "first", "second"]), moments)
holders = st.builds(
    Holder, st.none(), st.sampled_from([None, "ana"]), st.sampled_from([0.5, 4, 200]), st.just(1)
)
situations = st.builds(
    Situation,
    queue=queues,
    front=st.none() | st.lists(positions, max_size=3),
    started_at=moments,
    holders=st.lists(holders, max_size=5),
)
said = st.sampled_from(SAID)


def _job(asked: Size) -> WaitingJob:
    return asking(asked.vcpus, asked.memory_mib, asked.gpus)


def _diagnosed(asked: Size, situation: Situation, reason: str | None) -> Diagnosis:
    return diagnose(
        _job(asked), situation, policy=Policy(), offered=OFFERED, status_reason=reason, now=NOW
    )


def _with(queue: Queue, *more: Environment) -> Queue:
    return replace(queue, environments=(*queue.environments, *more))


@given(sizes, situations, said, st.sampled_from(["first", "last"]))
def test_a_job_that_fits_a_usable_environment_is_never_to_blame(
    asked: Size, situation: Situation, reason: str | None, at: str
) -> None:
    """Whatever the others are, and whatever Batch says of it."""
    kind = InstanceType("r5.xlarge", asked, is_registered=True)
    fitting = an_environment("fitting", types=(kind,), max_vcpus=1000)
    found = situation.queue.environments
    both = (fitting, *found) if at == "first" else (*found, fitting)
    queue = replace(situation.queue, environments=both)

    assert _diagnosed(asked, replace(situation, queue=queue), reason).fault is not Fault.JOB


@given(
    sizes,
    situations,
    st.sampled_from([{"state": "DISABLED"}, {"status": "INVALID"}, {"max_vcpus": 0}]),
)
def test_a_job_that_would_fit_were_all_in_order_is_never_to_blame(
    asked: Size, situation: Situation, trouble: dict[str, Any]
) -> None:
    """By no more than EC2's figures; it is the environment that has to be repaired."""
    fitting = {"types": (InstanceType("r5.xlarge", asked),), "max_vcpus": 1000}
    queue = _with(situation.queue, an_environment("broken", **(fitting | trouble)))

    assert _diagnosed(asked, replace(situation, queue=queue), None).fault is not Fault.JOB


@given(sizes, situations, sizes)
def test_what_registered_with_less_elsewhere_is_no_proof(
    asked: Size, situation: Situation, seen: Size
) -> None:
    """A job that would fit the type as EC2 sells it may fit it in this environment."""
    sold = replace(asked, memory_mib=int(asked.memory_mib / 0.97) + 2)
    kind = InstanceType("r5.large", seen, is_registered=True)
    queue = _with(situation.queue, an_environment(types=(kind,), max_vcpus=1000))
    diagnosis = diagnose(
        _job(asked),
        replace(situation, queue=queue),
        policy=Policy(),
        offered=[InstanceType("r5.large", sold)],
        status_reason=None,
        now=NOW,
    )
    assert diagnosis.fault is not Fault.JOB


@given(sizes, situations)
def test_whoever_is_to_blame_fits_nothing(asked: Size, situation: Situation) -> None:
    """Checked another way: no environment, in order or not, has a type that holds it."""
    if _diagnosed(asked, situation, None).fault is not Fault.JOB:
        return
    for each in situation.queue.environments:
        assert each.platform is not Platform.OTHER
        assert each.status in {"VALID", "INVALID"}
        too_many = each.max_vcpus and asked.vcpus > each.max_vcpus
        kinds = each.types or () if each.platform is Platform.EC2 else ()
        assert too_many or kinds or each.platform is Platform.FARGATE
        assert too_many or not any(kind.size.holds(asked) for kind in kinds)


@given(sizes, situations, said)
def test_a_job_in_a_queue_that_moves_is_never_stuck(
    asked: Size, situation: Situation, reason: str | None
) -> None:
    """It may be to blame itself, or all that it fits may be out of order."""
    lately = replace(situation, started_at=NOW)
    diagnosis = _diagnosed(asked, lately, reason)

    assert diagnosis.fault not in {Fault.STUCK, Fault.BEHIND}
    assert diagnosis.cause not in {Cause.QUEUE_DISABLED, Cause.QUEUE_INVALID}


@given(sizes, situations, said)
def test_a_job_that_is_not_at_the_head_is_never_stuck(
    asked: Size, situation: Situation, reason: str | None
) -> None:
    """The one in front is, if any."""
    behind = replace(situation, front=[Position("first", NOON), *(situation.front or ())])
    diagnosis = _diagnosed(asked, behind, reason)

    assert diagnosis.fault is not Fault.STUCK
    assert diagnosis.blocker in {None, "first"}


@given(sizes, situations, said)
def test_no_job_that_waits_for_others_is_cancelled(
    asked: Size, situation: Situation, reason: str | None
) -> None:
    """Whose vCPUs are all that its environments may have."""
    room = sum(each.max_vcpus or 0 for each in situation.queue.environments)
    full = replace(situation, holders=[Holder("TrainFlow", "ana", room + 1, 1)])
    diagnosis = _diagnosed(asked, full, reason)
    decision = judge(_job(asked), diagnosis, Policy(), NOW).decision

    assert diagnosis.fault in {Fault.JOB, Fault.QUEUE, Fault.TURN}
    assert decision is not Decision.CANCEL or diagnosis.fault is not Fault.TURN


@given(sizes, situations, said, st.sampled_from([OFFERED, ()]))
def test_any_diagnosis_can_be_told(
    asked: Size, situation: Situation, reason: str | None, offered: tuple[InstanceType, ...]
) -> None:
    """In sentences, with figures, and all of it is short enough for Batch."""
    waiting = _job(asked)
    diagnosis = diagnose(
        waiting, situation, policy=Policy(), offered=offered, status_reason=reason, now=NOW
    )
    assert diagnosis.sentence
    assert "  " not in f"{diagnosis.sentence} {diagnosis.advice}"
    assert diagnosis.advice.endswith(".")
    assert diagnosis.evidence

    verdict = Verdict(Decision.CANCEL, Why.UNFIT, NOON)
    text = cancel_reason(Judged(waiting, diagnosis, verdict, Policy()), NOW)
    assert len(text) < LONGEST_REASON
    assert text.endswith("(policy: default)")
