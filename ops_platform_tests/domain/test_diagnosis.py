"""Every cause for which a job does not start, with its sentence in words."""

import pytest

from ops_platform.domain.cancelling import cancel_reason
from ops_platform.domain.causes import Cause, Fault
from ops_platform.domain.diagnosis import Diagnosis
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import NOON
from ops_platform_tests.build_stale import XLARGE, an_environment
from ops_platform_tests.domain import held_up_rows, unfit_rows
from ops_platform_tests.domain.stuck_world import (
    BEHIND,
    HOLDERS,
    NOW,
    Row,
    asking,
    diagnosed,
    nominal,
    situation,
)  # fmt: skip

ROWS = (*unfit_rows.ROWS, *held_up_rows.ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.cause.name)
def test_each_cause_is_told_in_words(row: Row) -> None:
    """With the figures that matter, and what to change and where."""
    diagnosis = diagnosed(row.waiting, row.situation, said=row.said)

    assert diagnosis.cause is row.cause
    assert diagnosis.sentence == row.sentence
    assert diagnosis.advice.startswith(row.advice)


def test_every_cause_has_a_row_above() -> None:
    """One more cause is one row more."""
    assert {row.cause for row in ROWS} == set(Cause)


@pytest.mark.parametrize(
    "asked", [asking(999), asking(1, 100_000), asking(gpus=1), asking(64, 3_000_000, 8)]
)
def test_cause_and_remedy_come_first(asked: WaitingJob) -> None:
    """In what Batch is told and Slack shows of it."""
    diagnosis = diagnosed(asked, situation())
    verdict = Verdict(Decision.CANCEL, Why.UNFIT, NOON)
    text = cancel_reason(Judged(asked, diagnosis, verdict, Policy()), NOW)

    remedy = diagnosis.advice.partition(" at step")[0]
    assert "@resources(" in remedy
    assert remedy in text[:350]


def _told(diagnosis: Diagnosis) -> dict[str, tuple[str, str]]:
    return {figure.what: (figure.asked, figure.available) for figure in diagnosis.evidence}


def test_the_figures_compared_are_shown() -> None:
    """What is asked for beside what there is, and how the queue stands."""
    found = situation(
        an_environment(types=(XLARGE, nominal("g4dn.xlarge", 4, 16_384, 1)), desired_vcpus=4),
        holders=HOLDERS[:1],
    )
    assert _told(diagnosed(asking(999, gpus=1), found, said="UNDETERMINED - who knows")) == {
        "vCPUs": ("999", "at most 4 (r5.xlarge)"),
        "memory": ("4,096 MiB", "at most 31,300 MiB (r5.xlarge)"),
        "GPUs": ("1", "at most 1 (g4dn.xlarge)"),
        "compute environment spot": (
            "ENABLED, VALID, with vCPUs",
            "ENABLED, VALID, at most 16 vCPUs, 4 desired",
        ),
        "queue moved": ("", "3 h ago"),
        "capacity": ("free", "8 vCPUs held: TrainFlow (ana) 8"),
        "Batch's own reason": ("", "UNDETERMINED - who knows"),
    }


def test_a_figure_that_nobody_knows_is_said_to_be_unknown() -> None:
    """And one that ECS has yet to tell is EC2's, less what ECS keeps."""
    unknown = situation(an_environment(types=None, max_vcpus=None, desired_vcpus=None), front=None)
    told = _told(diagnosed(asking(gpus=1), unknown))
    assert {told[name][1] for name in ("vCPUs", "memory", "GPUs", "queue moved")} == {"not known"}
    assert told["compute environment spot"][1] == "ENABLED, VALID"

    by_ec2 = situation(an_environment(types=(nominal("r5.large", 2, 16_384),)))
    told = _told(diagnosed(asking(gpus=1), by_ec2))
    assert told["memory"][1] == "at most 16,384 MiB (r5.large, less what ECS keeps)"
    assert told["GPUs"][1] == "no GPU"


def test_the_one_in_front_is_named() -> None:
    """By its id, which is all that Batch tells of it."""
    assert diagnosed(asking(), situation(front=BEHIND)).blocker == "first"
    assert diagnosed(asking(), situation()).blocker is None


def test_a_job_far_behind_is_behind_too() -> None:
    """Batch names the first hundred only."""
    front = BEHIND[:2]
    diagnosis = diagnosed(asking(), situation(front=front))
    assert diagnosis.fault is Fault.BEHIND
    assert diagnosis.sentence.endswith("this one stands behind the first 2.")
    alone = diagnosed(asking(), situation(front=BEHIND[:1]))
    assert alone.sentence.endswith("; this one is behind it.")
