"""The evidence from Staging, each verdict told apart."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops_platform.domain.findings import Verdict
from ops_platform.domain.staging_runs import (
    Sameness,
    StagingRun,
    Wanted,
    differing,
    judge_staging,
    sameness,
    up_to_proof,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OURS, OTHER = "a" * 40, "b" * 40
FILES = {"flow.py": "1", "helpers/clean.py": "2"}
WANTED = Wanted(commit=OURS, files=FILES, max_age=timedelta(days=7))
GOOD = StagingRun(
    run_id="sfn-1",
    execution_arn="arn:1",
    status="SUCCEEDED",
    started_at=NOW - 3 * HOUR,
    ended_at=NOW - 2 * HOUR,
    commit=OURS,
    is_dirty=False,
    files=FILES,
    link="https://metaflow.example.com/F/sfn-1",
)
RUNNING = replace(GOOD, status="RUNNING", ended_at=None)
OLD = replace(GOOD, started_at=NOW - timedelta(days=9), ended_at=NOW - timedelta(days=8))
ELSEWHERE = replace(GOOD, commit=OTHER, files=None)
UNTRACKED = {**FILES, "secret_sauce.py": "3"}


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (GOOD, Sameness.COMMIT),
        (replace(GOOD, files=None), Sameness.UNREAD),
        (replace(GOOD, is_dirty=True, files=None), Sameness.DIRTY),
        (replace(GOOD, is_dirty=None, files=None), Sameness.DIRTY),
        (replace(GOOD, is_dirty=True, files=FILES), Sameness.CONTENT),
        (replace(GOOD, files=UNTRACKED), Sameness.DIRTY),
        (ELSEWHERE, Sameness.OTHER),
        (replace(GOOD, commit=OTHER, files=FILES), Sameness.CONTENT),
        (replace(GOOD, commit=OTHER, files=UNTRACKED), Sameness.OTHER),
        (replace(GOOD, commit=None, is_dirty=None, files=None), Sameness.UNKNOWN),
        (replace(GOOD, commit=None, is_dirty=None, files=FILES), Sameness.CONTENT),
        (replace(GOOD, commit=None, is_dirty=None, files=UNTRACKED), Sameness.OTHER),
    ],
)
def test_what_a_run_ran(run: StagingRun, expected: Sameness) -> None:
    """By the files of its package: some of them git may not know."""
    assert sameness(run, WANTED) is expected


@pytest.mark.parametrize(
    ("runs", "reason", "said"),
    [
        ([], "no-run", "has never run in Staging"),
        ([GOOD], "succeeded", "sfn-1 (the same commit, clean) succeeded 2 h ago."),
        ([replace(GOOD, commit=OTHER, files=FILES)], "succeeded", "(the same files) succeeded"),
        ([RUNNING], "running", "still runs, since 3 h"),
        ([replace(GOOD, status="FAILED")], "failed", "failed."),
        ([replace(GOOD, status="TIMED_OUT")], "failed", "timed out."),
        ([replace(GOOD, status="ABORTED")], "failed", "was aborted."),
        ([OLD], "too-old", "succeeded 8 days ago; a proof counts for 7 days"),
        ([replace(GOOD, is_dirty=True, files=None)], "dirty", "changes that were not committed"),
        ([replace(GOOD, files=UNTRACKED)], "dirty", "1 other file: secret_sauce.py"),
        ([ELSEWHERE], "another-commit", "at bbbbbbbbbbbb, not at aaaaaaaaaaaa"),
        (
            [replace(ELSEWHERE, commit=None, is_dirty=None)],
            "unknown-code",
            "not deployed from",
        ),
    ],
)
def test_each_verdict_is_told_apart(runs: list[StagingRun], reason: str, said: str) -> None:
    """With a sentence, and the link to the run."""
    finding = judge_staging("shop.test.x.Flow", runs, WANTED, now=NOW)
    assert (finding.reason, finding.passed) == (reason, reason == "succeeded")
    assert said in finding.message
    assert finding.link == (GOOD.link if runs else None)
    assert finding.verdict in {Verdict.PASSED, Verdict.FAILED}


def test_a_later_failure_of_the_same_code_outweighs_an_earlier_success() -> None:
    """In whatever order the runs are listed."""
    later = replace(GOOD, run_id="sfn-2", status="FAILED", started_at=NOW - HOUR, ended_at=NOW)
    for runs in ([GOOD, later], [later, GOOD]):
        assert judge_staging("m", runs, WANTED, now=NOW).reason == "failed"


def test_a_later_run_of_other_code_does_not_undo_the_proof() -> None:
    """Somebody's experiment on the same branch says nothing of this commit."""
    later = replace(ELSEWHERE, run_id="sfn-2", status="FAILED", started_at=NOW - HOUR)
    assert judge_staging("m", [GOOD, later], WANTED, now=NOW).reason == "succeeded"


@pytest.mark.parametrize(("age", "reason"), [(0, "succeeded"), (1, "too-old")])
def test_a_proof_counts_until_its_age_is_more_than_the_limit(age: int, reason: str) -> None:
    """To the second."""
    ended_at = NOW - WANTED.max_age - timedelta(seconds=age)
    run = replace(GOOD, started_at=ended_at - HOUR, ended_at=ended_at)
    assert judge_staging("m", [run], WANTED, now=NOW).reason == reason


@pytest.mark.parametrize(
    ("package", "checkout", "expected"),
    [
        ({}, {}, []),
        ({"flow.py": "1"}, {"flow.py": "1", "README.md": "9", ".hidden/x.py": "8"}, []),
        ({"flow.py": "1"}, {"flow.py": "1", "__pycache__/flow.py": "7"}, []),
        ({"flow.py": "1", "q.sql": "2"}, {"flow.py": "1", "q.sql": "2"}, []),
        ({"flow.py": "1", "q.sql": "2"}, {"flow.py": "1", "q.sql": "3"}, ["q.sql"]),
        ({"flow.py": "1", "x.py": "2"}, {"flow.py": "1"}, ["x.py"]),
        ({"flow.py": "1"}, {"flow.py": "1", "lib/model.R": "2"}, ["lib/model.R"]),
        ({"flow.py": "1"}, {"flow.py": "2"}, ["flow.py"]),
    ],
)
def test_a_package_is_held_against_the_checkout(
    package: dict[str, str], checkout: dict[str, str], expected: list[str]
) -> None:
    """Both ways, though a checkout holds files that nobody packages."""
    assert differing(package, checkout) == expected


def test_no_more_runs_are_read_than_are_needed() -> None:
    """Each costs a call of AWS."""
    read = []

    def runs() -> Iterator[StagingRun]:
        for run in (ELSEWHERE, GOOD, OLD):
            read.append(run)
            yield run

    assert up_to_proof(runs(), WANTED) == read == [ELSEWHERE, GOOD]
    assert len(up_to_proof([ELSEWHERE] * 500, WANTED)) == 100


def test_a_look_that_ended_early_says_so() -> None:
    """There may be a run of this code among those that were not looked at."""
    others = [ELSEWHERE] * 100
    assert judge_staging("m", others, WANTED, now=NOW).message.endswith("100 runs were looked at.")
    assert "looked at" not in judge_staging("m", others[1:], WANTED, now=NOW).message


def test_a_run_with_other_steps_proves_nothing() -> None:
    """Its word and its package can be right, and the machine another."""
    wanted = replace(WANTED, graph="ours")
    assert judge_staging("F", [replace(GOOD, graph="ours")], wanted, now=NOW).passed
    for other in ("theirs", None):
        found = judge_staging("F", [replace(GOOD, graph=other)], wanted, now=NOW)
        assert (found.reason, found.stops) == ("other-steps", True)


def test_a_run_without_its_package_proves_nothing() -> None:
    """Files that git does not know would have run unseen."""
    found = judge_staging("F", [replace(GOOD, files=None)], WANTED, now=NOW)
    assert (found.reason, found.stops) == ("package-gone", True)
