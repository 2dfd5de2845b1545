"""All sanity checks of a pull request together: what passes, and what each trouble makes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import deployments, promotion_tables
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.candidates import Candidate
from ops_platform.domain.checks import CHECKS
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Verdict
from ops_platform.domain.sandboxes import Ended, Isolation
from ops_platform.operations.check_candidate import Capacity
from ops_platform_tests.operations.candidate_world import (
    MACHINE,
    PATH,
    REPOSITORY,
    CandidateWorld,
    no_queues,
)

Spoil = Callable[[CandidateWorld], object]
REFUSED = "    AWS Step Functions error:\n    Deploying flows with @exit_hook is not supported.\n"
UNREACHABLE = PlatformError("Could not ask: no answer.")


@pytest.fixture
def world(tmp_path: Path, emptied_ledger: Ledger) -> CandidateWorld:
    """Give a repository, Staging, production and a ledger."""
    return CandidateWorld(tmp_path, emptied_ledger)


def test_a_flow_that_is_fit_passes_every_check(world: CandidateWorld) -> None:
    """Each of them is there, once."""
    report = world.check(world.candidate())
    assert report.passed
    assert [each.name for each in report.findings] == [each.name for each in CHECKS]
    assert report.flow == "Forecast"


SPOILED: list[tuple[str, Spoil, list[tuple[str, str]]]] = [
    ("sandbox", lambda w: setattr(w, "isolation", Isolation.OWN_USER),
     [("loads", "isolation")]),
    ("never ends", lambda w: setattr(w.metaflow, "ended", Ended.TIMED_OUT),
     [("loads", "timed-out")]),
    ("restriction", lambda w: setattr(w.metaflow, "complaint", REFUSED),
     [("compiles", "exit-hook")]),
    ("queues unknown", lambda w: setattr(w, "capacity", no_queues),
     [("can-start", "not-answered")]),
    ("queue gone", lambda w: setattr(w, "capacity", lambda: Capacity((), ())),
     [("can-start", "no-queues")]),
    ("branches unknown", lambda w: setattr(w.repositories, "trouble", UNREACHABLE),
     [("names", "not-answered")]),
    ("branch collision", lambda w: w.repository.git("branch", "by_region"),
     [("names", "branch-collision")]),
    ("foreign project", lambda w: setattr(w, "rules", replace(
        w.rules, projects={REPOSITORY: "search"})), [("names", "foreign-project")]),
    ("staging unknown", lambda w: setattr(w.staging, "trouble", UNREACHABLE),
     [("staging-run", "not-answered"), ("same-software", "no-run")]),
    ("never ran", lambda w: w.staging.ran.clear(),
     [("staging-run", "no-run"), ("same-software", "no-run")]),
    ("run failed", lambda w: w.spoil_run(status="FAILED"), [("staging-run", "failed")]),
    ("other commit", lambda w: w.spoil_run(commit="f" * 40, files={}),
     [("staging-run", "another-commit"), ("same-software", "no-run")]),
    ("a tag that Batch refuses",
     lambda w: setattr(w.metaflow, "flow", w.metaflow.flow.but_first(job_tags={"team*": "shop"})),
     [("names", "bad-tag")]),
    ("no package", lambda w: w.spoil_run(files=None),
     [("staging-run", "package-gone"), ("same-software", "no-run")]),
    ("other steps", lambda w: w.spoil_run(graph="other"),
     [("staging-run", "other-steps"), ("same-software", "no-run")]),
    ("other base", lambda w: w.spoil_pull(base="unprotected", default_branch="main"),
     [("review", "base")]),
    ("approved by who wrote it", lambda w: w.spoil_pull(committers=("ada", "grace")),
     [("review", "not-approved")]),
    ("other software", lambda w: setattr(w.metaflow, "flow", w.metaflow.flow.but(metaflow="2.1")),
     [("same-software", "metaflow")]),
    ("not approved", lambda w: w.spoil_pull(approvals=()), [("review", "not-approved")]),
    ("fork", lambda w: w.spoil_pull(from_fork=True), [("review", "fork")]),
    ("no such pull request", lambda w: w.host.pulls.clear(), [("review", "no-pull-request")]),
    ("host down", lambda w: setattr(w.host, "trouble", UNREACHABLE),
     [("review", "not-answered")]),
    ("production unknown", lambda w: w.fake.fail("rule"), [("drift", "not-answered")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "expected"), [(s, e) for _, s, e in SPOILED], ids=[name for name, *_ in SPOILED]
)
def test_each_trouble_is_told_by_the_check_that_it_concerns(
    world: CandidateWorld, spoil: Spoil, expected: list[tuple[str, str]]
) -> None:
    """What could not be asked is not passed, and never a traceback."""
    candidate = world.candidate()
    spoil(world)
    found = world.failing(candidate)
    of_code = {"loads", "compiles"}
    wanted = [each for each in found if each[1] != "not-compiled"]
    assert wanted == expected
    assert len(found) == len(wanted) or {name for name, _ in expected} <= of_code


def test_what_needs_the_flow_compiled_is_not_asked_without(world: CandidateWorld) -> None:
    """And says so."""
    candidate = world.candidate()
    world.metaflow.ended = Ended.TIMED_OUT
    found = {each.name: each for each in world.check(candidate).findings}
    for name in ("staging-run", "same-software", "drift", "lock"):
        assert (found[name].verdict, found[name].reason) == (Verdict.UNCHECKED, "not-compiled")
    assert found["review"].passed


def test_a_commit_that_is_not_the_head_is_refused(world: CandidateWorld) -> None:
    """Before anything of it runs."""
    candidate = world.candidate()
    world.candidate(text="another")
    assert world.failing(candidate) == [("review", "head-moved")]
    assert world.metaflow.asked == []


def test_a_repository_that_is_not_listed_is_not_checked_out(world: CandidateWorld) -> None:
    """It says which one may have been meant."""
    (found,) = world.check(Candidate("eve/flows", 1, "e" * 40, PATH)).findings
    assert (found.verdict, found.reason) == (Verdict.UNCHECKED, "no-checkout")
    assert found.message.endswith("may not be promoted from. Did you mean acme/flows?")


def test_a_path_without_a_flow_is_told(world: CandidateWorld) -> None:
    """As what it is."""
    candidate = world.candidate(path="flows/forcast.py")
    assert ("loads", "no-such-file") in world.failing(candidate)


def test_requirements_that_cannot_be_taken_are_told(world: CandidateWorld) -> None:
    """With their sentence."""
    world.repository.commit({"flows/requirements.txt": "git+https://evil.example.com/x\n"})
    candidate = world.candidate()
    assert ("loads", "requirements") in world.failing(candidate)


def test_the_lock_and_the_origin_of_a_flow_count(world: CandidateWorld) -> None:
    """Another pull request holds it; another repository deployed it."""
    with world.stages(world.order(world.candidate())) as stages:
        for stage in (
            stages.check_code, stages.check_evidence, stages.admit, stages.prepare,
            stages.deploy, stages.start,
        ):  # fmt: skip
            stage()
    second = world.candidate(13, "two")
    assert world.failing(second) == [("lock", "held")]
    (lock,) = world.found(second, "lock")
    assert "acme/flows#12 holds shop.prod.Forecast" in lock.message
    with world.ledger.transaction() as tx:
        (made,) = deployments.history(tx, "production", MACHINE)
        moved = sa.update(promotion_tables.promotions).values(repository="other/flows")
        tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        tx.execute(moved.where(promotion_tables.promotions.c.id == made.promotion_id))
    assert ("names", "foreign-machine") in world.failing(second)


def test_it_is_compiled_with_productions_settings(world: CandidateWorld) -> None:
    """And with its queues, so that it compiles to the same as there."""
    world.rules = replace(world.rules, metaflow={"METAFLOW_BATCH_JOB_QUEUE": "metaflow"})
    world.check(world.candidate())
    (asked,) = world.metaflow.asked
    assert asked.settings == {"METAFLOW_BATCH_JOB_QUEUE": "metaflow"}
    assert asked.queues == {"metaflow": "EC2"}
    assert (asked.flow, asked.folder.rpartition("/")[2]) == ("forecast.py", "flows")


def test_nothing_of_a_check_is_left_behind(world: CandidateWorld) -> None:
    """The checkout is gone."""
    world.check(world.candidate())
    assert list((world.folder / "checkouts").iterdir()) == []
    assert world.fake.machine(MACHINE) is None
