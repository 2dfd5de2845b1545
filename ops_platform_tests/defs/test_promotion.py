"""Soteria's jobs on a real instance and a real ledger, launched with the config that CI sends."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger import deployments, flow_locks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.definitions import compose
from ops_platform.domain.errors import PlatformError
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import STAGED, settings_in
from ops_platform_tests.operations.candidate_world import MACHINE, CandidateWorld

ASKED = {"actor": "ana", "reason": "productionize flow", "request": "comment-1"}


@pytest.fixture
def world(tmp_path: Path, emptied_ledger: Ledger) -> CandidateWorld:
    """Give a repository, Staging, production and a ledger."""
    return CandidateWorld(tmp_path, emptied_ledger)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of two accounts."""
    return settings_in(tmp_path, STAGED)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Give an instance that holds what its runs left."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Jobs:
    """The jobs of the code location, run one after the other."""

    def __init__(
        self, settings: Settings, world: CandidateWorld, instance: dg.DagsterInstance
    ) -> None:
        self._world = world
        self._instance = instance
        self._definitions = compose(settings)

    def run(self, job: str, **config: Any) -> dg.ExecuteInProcessResult:
        """Run a job with the flat config that it takes."""
        return self._definitions.resolve_job_def(job).execute_in_process(
            run_config=config,
            resources={"ledger": self._world.ledger, "promotions": self._world},
            instance=self._instance,
            raise_on_error=False,
        )

    def promote(self, text: str = "one", **config: Any) -> dg.ExecuteInProcessResult:
        """Promote what a pull request is at."""
        return self.run("promote_flow", **self.candidate(text), **(ASKED | config))

    def candidate(self, text: str = "one") -> dict[str, Any]:
        """Commit a flow and return how it is named."""
        made = self._world.candidate(text=text)
        return {name: getattr(made, name) for name in made.__slots__}

    def commit(self, done: dg.ExecuteInProcessResult) -> str:
        """Return the commit that a run was asked for."""
        run = self._instance.get_run_by_id(done.run_id)
        assert run is not None
        return str(run.run_config["commit"])

    def tags(self, done: dg.ExecuteInProcessResult) -> dict[str, str]:
        """Return the tags by which a run is found."""
        run = self._instance.get_run_by_id(done.run_id)
        assert run is not None
        return {k: v for k, v in run.tags.items() if k.startswith("soteria/")}


@pytest.fixture
def jobs(settings: Settings, world: CandidateWorld, instance: dg.DagsterInstance) -> Jobs:
    """Give the jobs."""
    return Jobs(settings, world, instance)


def _metadata(done: dg.ExecuteInProcessResult, op: str) -> dict[str, Any]:
    for event in done.all_events:
        if not event.is_step_event or event.node_name != op:
            continue
        if event.is_successful_output:
            return _plain(event.step_output_data.metadata)
        if event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            assert failure is not None
            return _plain(failure.metadata)
    raise AssertionError(f"{op} did nothing")


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.data if isinstance(value, dg.JsonMetadataValue) else value.value
        for name, value in metadata.items()
        if not isinstance(value, dg.TableMetadataValue)
    }


def _said(done: dg.ExecuteInProcessResult, op: str) -> str:
    (event,) = [each for each in done.all_events if each.is_step_failure]
    assert event.node_name == op
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    return failure.description or ""


def _stages(done: dg.ExecuteInProcessResult) -> list[str]:
    return [str(each.node_name) for each in done.all_events if each.is_step_success]


def test_sanity_checks_show_what_they_found(jobs: Jobs) -> None:
    """As a table for people, as JSON for programs, and as tags to find the run by."""
    done = jobs.run("sanity_checks", **jobs.candidate())
    assert done.success
    assert _stages(done) == ["take_candidate", "check_code", "check_evidence", "conclude"]
    metadata = _metadata(done, "check_evidence")
    assert metadata["verdict"] == "passed"
    assert metadata["report"].startswith("**Forecast passed.**")
    assert metadata["findings"]["passed"] is True
    assert len(metadata["findings"]["checks"]) == 11
    assert jobs.tags(done) == {"soteria/verdict": "passed", "soteria/flow": "Forecast"}


def test_checks_that_did_not_pass_fail_the_run(jobs: Jobs, world: CandidateWorld) -> None:
    """With a sentence and the table; nothing is a traceback."""
    candidate = jobs.candidate()
    world.spoil_run(status="FAILED")
    done = jobs.run("sanity_checks", **candidate)
    assert _said(done, "conclude") == "Forecast did not pass: stopped by staging-run."
    assert _metadata(done, "conclude")["verdict"] == "failed"
    assert jobs.tags(done)["soteria/verdict"] == "failed"


def test_a_promotion_shows_each_stage_and_makes_the_asset(jobs: Jobs) -> None:
    """The deployment is an asset of Dagster with a history."""
    done = jobs.promote()
    assert done.success
    assert _stages(done) == [
        "take_order", "check_code", "check_evidence", "admit", "prepare", "deploy", "start",
    ]  # fmt: skip
    (made,) = [e for e in done.all_events if e.event_type_value == "ASSET_MATERIALIZATION"]
    assert made.asset_key is not None
    assert made.asset_key.path == ["deployments", "shop", "Forecast"]
    told = {k: v.value for k, v in made.materialization.metadata.items()}
    assert (told["owner"], told["pull_request"]) == ("ada", "acme/flows#12")
    assert told["schedule"] == "cron(0 0 * * ? *)"
    tags = jobs.tags(done)
    assert (tags["soteria/machine"], tags["soteria/status"]) == (MACHINE, "succeeded")
    assert tags["soteria/promotion"] == told["promotion"]


def test_a_refusal_fails_the_run_with_its_reason(jobs: Jobs, world: CandidateWorld) -> None:
    """And the record so far."""
    candidate = jobs.candidate()
    world.spoil_pull(approvals=())
    done = jobs.run("promote_flow", **candidate, **ASKED)
    assert _said(done, "admit") == (
        "Nothing was touched: Forecast did not pass: stopped by review."
    )
    assert _metadata(done, "admit")["status"] == "refused"
    assert world.fake.machine(MACHINE) is None


def test_a_failure_is_told_by_the_stage_that_it_happened_in(
    jobs: Jobs, world: CandidateWorld
) -> None:
    """Production is as it was."""
    world.fake.fail("deploy")
    done = jobs.promote()
    assert _said(done, "deploy").endswith("Production is as it was.")
    assert jobs.tags(done)["soteria/status"] == "failed"
    assert world.fake.machine(MACHINE) is None


def test_the_same_request_again_is_the_same_promotion(jobs: Jobs, world: CandidateWorld) -> None:
    """It ends as it ended, and asks nobody."""
    candidate = jobs.candidate()
    first = jobs.run("promote_flow", **candidate, **ASKED)
    asked = world.fake.calls["any"]
    second = jobs.run("promote_flow", **candidate, **ASKED)
    assert second.success
    assert jobs.tags(second)["soteria/promotion"] == jobs.tags(first)["soteria/promotion"]
    assert world.fake.calls["any"] == asked


def test_a_flow_is_rolled_back(jobs: Jobs, world: CandidateWorld) -> None:
    """To the deployment before the last, which becomes an entry of the asset's history."""
    first = jobs.promote()
    before = world.fake.machine(MACHINE)
    world.metaflow.flow = world.metaflow.flow.but_first(memory="8000")
    second = jobs.promote("two", request="comment-2")
    assert "4,096 → 8,000" in _metadata(second, "prepare")["changes"]
    pull = {"repository": "acme/flows", "pull_request": 12}
    back = {**ASKED, **pull, "request": "comment-3", "reason": "it is wrong"}
    done = jobs.run("roll_back_flow", machine=MACHINE, **back)
    assert done.success
    after = world.fake.machine(MACHINE)
    assert before is not None
    assert after is not None
    assert after.definition == before.definition
    target = _metadata(done, "look_back")
    assert target["commit"] == jobs.commit(first)
    assert jobs.tags(done)["soteria/status"] == "succeeded"
    again = jobs.run("roll_back_flow", machine=MACHINE, **back)
    assert again.success
    assert _metadata(again, "look_back") == target


def test_what_cannot_be_gone_back_to_is_told_beforehand(jobs: Jobs) -> None:
    """Before anything is asked of production."""
    jobs.promote()
    done = jobs.run("roll_back_flow", machine=MACHINE, **ASKED)
    assert "no deployment on record before the last one" in _said(done, "look_back")


def test_config_that_is_wrong_is_refused_before_a_run(jobs: Jobs) -> None:
    """By Dagster, which names the field."""
    with pytest.raises(dg.DagsterInvalidConfigError, match="pull_request"):
        jobs.run("sanity_checks", repository="acme/flows", commit="a" * 40, flow_path="f.py")


def test_a_path_that_leads_away_is_a_sentence(jobs: Jobs) -> None:
    """Not a traceback."""
    done = jobs.run("sanity_checks", **(jobs.candidate() | {"flow_path": "../../etc/passwd.py"}))
    assert "is no path of a flow" in _said(done, "take_candidate")


def test_a_stage_by_itself_says_what_to_do(jobs: Jobs, world: CandidateWorld) -> None:
    """As whoever re-executes a run from the middle would have it."""
    candidate = world.candidate()
    config = {name: getattr(candidate, name) for name in candidate.__slots__}
    done = jobs._definitions.resolve_job_def("promote_flow").execute_in_process(
        run_config={**config, **ASKED},
        resources={"ledger": world.ledger, "promotions": world},
        op_selection=["deploy"],
        raise_on_error=False,
    )
    assert "launch the whole job again" in _said(done, "deploy")


def _table(done: dg.ExecuteInProcessResult) -> list[dict[str, Any]]:
    (made,) = [e for e in done.all_events if e.event_type_value == "ASSET_MATERIALIZATION"]
    table = made.materialization.metadata["table"]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(each.data) for each in table.records]


def test_what_runs_is_looked_at_for_drift(jobs: Jobs, world: CandidateWorld) -> None:
    """The check fails once somebody changed it by hand, and says what."""
    jobs.promote()
    clean = jobs.run("look_at_deployments")
    (checked,) = clean.get_asset_check_evaluations()
    assert checked.passed
    assert [each["drift"] for each in _table(clean)] == ["as-deployed"]
    rule = world.fake.rule(MACHINE)
    assert rule is not None
    world.fake.put_rule(replace(rule, enabled=False))
    drifted = jobs.run("look_at_deployments")
    (checked,) = drifted.get_asset_check_evaluations()
    assert (checked.passed, checked.description) == (False, "1 machine is not as deployed.")
    assert "Somebody changed the schedule" in str(checked.metadata["found"].value)
    world.fake.fail("machine")
    unknown = jobs.run("look_at_deployments")
    (checked,) = unknown.get_asset_check_evaluations()
    assert not checked.passed
    with world.ledger.transaction() as tx:
        (now,) = deployments.current(tx, "production")
    assert now.drift == "not-answered"


def test_a_lock_goes_with_its_pull_request(jobs: Jobs, world: CandidateWorld) -> None:
    """Not before that is merged or closed, nor while the host cannot be asked."""
    jobs.promote()
    for trouble in (None, PlatformError("no answer")):
        world.host.trouble = trouble
        jobs.run("look_at_deployments")
        assert _holder(world) == 12
    world.host.trouble = None
    hidden = world.host.pulls.pop(12)
    jobs.run("look_at_deployments")
    assert _holder(world) == 12, "a token that sees nothing proves nothing"
    world.host.pulls[12] = hidden
    world.spoil_pull(is_open=False)
    jobs.run("look_at_deployments")
    assert _holder(world) is None


def test_somebodys_word_releases_a_lock(jobs: Jobs, world: CandidateWorld) -> None:
    """Who and why is on record; what nobody holds cannot be released."""
    jobs.promote()
    word = {"machine": MACHINE, "actor": "grace", "reason": "she is on leave"}
    assert jobs.run("unlock_flow", **word).success
    with world.ledger.transaction() as tx:
        last = flow_locks.events(tx, "production", MACHINE)[-1]
    assert (last["what"], last["actor"], last["reason"]) == ("released", "grace", "she is on leave")
    again = jobs.run("unlock_flow", **word)
    assert _said(again, "release_lock") == f"Nobody holds {MACHINE} in production."


def _holder(world: CandidateWorld) -> int | None:
    with world.ledger.transaction() as tx:
        held = flow_locks.holder(tx, "production", MACHINE)
    return held.pull_request if held else None
