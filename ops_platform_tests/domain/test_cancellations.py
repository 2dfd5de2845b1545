"""The record of a judgement holds all that it rests on, and nothing that is nobody's business."""

import msgspec
import pytest

from ops_platform.domain.cancellations import record_of
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.events import Attempt
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import NOON, a_job_event, after
from ops_platform_tests.build_stale import a_judgement


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_the_present_attempt_is_the_one_after_those_that_ended(attempts: int) -> None:
    """So that one that Batch has put back to wait is judged anew."""
    judged = a_judgement(attempts=(Attempt(),) * attempts)

    record = record_of(judged, outcome=Outcome.ASKED, now=NOON, asked_by="a run")

    assert record.attempt == attempts + 1


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_was_asked_waits_for_its_outcome(outcome: Outcome) -> None:
    """A warning has none."""
    record = record_of(a_judgement(), outcome=outcome, now=after(9), asked_by="a run")

    assert record.is_settled is (outcome is not Outcome.ASKED)
    assert record.settled_at == (None if outcome is Outcome.ASKED else after(9))


def test_a_judgement_without_a_diagnosis_can_be_recorded() -> None:
    """By its age, for one."""
    verdict = Verdict(Decision.CANCEL, Why.BY_AGE, NOON, NOON)
    judged = Judged(WaitingJob(Job("staging", a_job_event())), None, verdict, Policy(name="rule 2"))

    record = record_of(judged, outcome=Outcome.ASKED, now=NOON, asked_by="a run")

    assert (record.reason, record.policy, record.evidence) == ("too old", "rule 2", ())
    assert (record.cause, record.diagnosis, record.advice, record.blocker) == (None,) * 4


def test_neither_tags_nor_parameters_are_recorded() -> None:
    """A parameter may be a token."""
    waiting = WaitingJob(Job("staging", a_job_event()), {"a": "tag"}, {"token": "a secret"})
    judged = Judged(waiting, None, Verdict(Decision.CANCEL, Why.STUCK), Policy())

    record = record_of(judged, outcome=Outcome.ASKED, now=NOON, asked_by="a run")

    assert "secret" not in msgspec.json.encode(record).decode()
