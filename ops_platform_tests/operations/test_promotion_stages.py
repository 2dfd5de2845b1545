"""A pull request's flow brought to production stage by stage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ops_platform.adapters.ledger import deployments, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.candidates import Order
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Report
from ops_platform.domain.promotions import Status, What
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.operations.candidate_world import MACHINE, PATH, CandidateWorld


@pytest.fixture
def world(tmp_path: Path, emptied_ledger: Ledger) -> CandidateWorld:
    """Give a repository, Staging, production and a ledger."""
    return CandidateWorld(tmp_path, emptied_ledger)


def _promote(world: CandidateWorld, order: Order) -> tuple[Report, Recorded]:
    with world.stages(order) as stages:
        stages.check_code()
        report = stages.check_evidence()
        for stage in (stages.admit, stages.prepare, stages.deploy):
            stage()
        return report, stages.start()


def test_the_record_links_all_of_it(world: CandidateWorld) -> None:
    """Pull request, commit, author, approvers, actor, owner, checks with evidence, first run."""
    candidate = world.candidate()
    report, recorded = _promote(world, world.order(candidate))
    request = recorded.request
    assert report.passed
    assert recorded.status is Status.SUCCEEDED
    assert (request.repository, request.pull_request, request.commit, request.flow_path) == (
        "acme/flows", 12, candidate.commit, PATH,
    )  # fmt: skip
    assert (request.author, request.approvers, request.actor) == ("ada", ("grace",), "ana")
    assert (request.owner, request.flow, request.project) == ("ada", "Forecast", "shop")
    checks = recorded.entries[0].detail["checks"]
    assert isinstance(checks, list)
    assert "https://metaflow.example.com/run" in {each["link"] for each in checks}
    with world.ledger.transaction() as tx:
        made = deployments.latest(tx, "production", MACHINE)
    assert made is not None
    assert made.execution_arn
    assert made.commit == candidate.commit


def test_the_deployment_tells_where_it_came_from(world: CandidateWorld) -> None:
    """By tags, the namespace of what runs, and Metaflow's option for projects."""
    order = world.order(world.candidate())
    _promote(world, order)
    _promote(world, world.order(world.candidate(text="two"), "comment-2"))
    first, second = world.deployed
    told = [first.create[index + 1] for index, word in enumerate(first.create) if word == "--tag"]
    assert told == [
        f"commit:{order.candidate.commit}", "pull_request:acme/flows#12", f"promotion:{order.id}",
        "owner:ada",
    ]  # fmt: skip
    assert first.options == ("--production",)
    assert "--authorize" not in first.create
    assert second.create[-2:] == ("--authorize", "mfprj-abc-0-defg")


def test_an_owner_that_is_named_counts_before_the_runs(world: CandidateWorld) -> None:
    """Of names that no tag can hold none is taken."""
    _, named = _promote(world, world.order(world.candidate(), owner="grace"))
    assert named.request.owner == "grace"
    candidate = world.candidate(text="two")
    world.spoil_run(owner="x; rm -rf /")
    _, recorded = _promote(world, world.order(candidate, "comment-2"))
    assert recorded.request.owner == "ada"


def test_the_same_order_twice_is_one_promotion(world: CandidateWorld) -> None:
    """The second one asks nobody anything, and tells the same."""
    order = world.order(world.candidate())
    first = _promote(world, order)
    asked, called = len(world.metaflow.asked), world.fake.calls["any"]
    assert _promote(world, order) == first
    assert (len(world.metaflow.asked), world.fake.calls["any"]) == (asked, called)


def test_after_a_refusal_another_order_is_looked_at_anew(world: CandidateWorld) -> None:
    """The refused one stays refused."""
    candidate = world.candidate()
    world.spoil_run(status="FAILED")
    refused = world.order(candidate)
    assert _promote(world, refused)[1].status is Status.REFUSED
    world.spoil_run(status="SUCCEEDED")
    assert _promote(world, refused)[1].status is Status.REFUSED
    assert _promote(world, world.order(candidate, "comment-2"))[1].status is Status.SUCCEEDED


def test_a_flow_that_does_not_compile_is_refused_on_record(world: CandidateWorld) -> None:
    """Under its path, since it has no name."""
    world.metaflow.complaint = "@parallel is not supported"
    _, recorded = _promote(world, world.order(world.candidate()))
    assert (recorded.status, recorded.request.project) == (Status.REFUSED, None)
    assert recorded.request.machine == PATH
    assert world.deployed == []


def test_who_asks_at_the_same_time_is_refused_by_name(world: CandidateWorld) -> None:
    """Until the first one is over, or dead."""
    first, second = world.order(world.candidate()), world.order(world.candidate(13, "two"))
    with world.stages(first) as going:
        going.check_code()
        # The head of the first pull request is where it was.
        going.check_evidence()
        going.admit()
        with world.stages(second) as late:
            late.check_code()
            late.check_evidence()
            with pytest.raises(PlatformError, match=MACHINE):
                late.admit()
    assert _promote(world, second)[1].status is Status.REFUSED


def test_a_stage_out_of_order_is_refused(world: CandidateWorld) -> None:
    """Nothing is deployed that was not admitted."""
    with world.stages(world.order(world.candidate())) as stages:
        with pytest.raises(PlatformError, match="never admitted"):
            stages.deploy()
        stages.check_code()
        stages.check_evidence()
        stages.admit()
        recorded = stages.deploy()
    assert recorded.status is Status.FAILED
    assert world.fake.machine(MACHINE) is None


@pytest.mark.parametrize("stage", ["admit", "prepare", "deploy"])
def test_whoever_dies_between_two_stages_goes_on(world: CandidateWorld, stage: str) -> None:
    """The same order comes to its end; production was prepared for it once."""
    order = world.order(world.candidate())
    with world.stages(order) as stages:
        for name in ("check_code", "check_evidence", "admit", "prepare", "deploy"):
            getattr(stages, name)()
            if name == stage:
                break
    _, recorded = _promote(world, order)
    assert recorded.status is Status.SUCCEEDED
    kept = [each for each in recorded.entries if each.what is What.KEPT]
    assert len(kept) == 1


def test_what_compiles_otherwise_with_credentials_is_not_deployed(world: CandidateWorld) -> None:
    """A flow must not depend on who compiles it."""

    def other(flow: CompiledFlow) -> CompiledFlow:
        return flow.but_first(memory="9000")

    world.changes = other
    _, recorded = _promote(world, world.order(world.candidate()))
    assert recorded.status is Status.FAILED
    assert "compiles to something else" in recorded.entries[-1].message


def test_whoever_goes_on_after_a_push_puts_the_right_things_back(world: CandidateWorld) -> None:
    """Machine, rule and lock are those of the order, though it does not compile any more."""
    first = world.order(world.candidate())
    _promote(world, first)
    before = world.fake.machine(MACHINE), world.fake.rule(MACHINE)
    world.metaflow.schedule = "cron(0 * * * ? *)"
    order = world.order(world.candidate(text="two"), "comment-2")
    with world.stages(order) as stages:
        for name in ("check_code", "check_evidence", "admit", "prepare", "deploy"):
            getattr(stages, name)()
    world.candidate(text="three")
    _, recorded = _promote(world, order)
    assert (recorded.status, recorded.request.machine) == (Status.FAILED, MACHINE)
    after = world.fake.machine(MACHINE)
    assert after is not None
    assert before[0] is not None
    assert (after.definition, world.fake.rule(MACHINE)) == (before[0].definition, before[1])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda w: w.spoil_pull(approvals=()), "needs 1 more approval"),
        (lambda w: w.spoil_pull(head="e" * 40), "is at eeeeeeeeeeee by now"),
        (lambda w: w.host.pulls.clear(), "the pull request is gone"),
        (lambda w: setattr(w.host, "trouble", PlatformError("no answer")), "no answer"),
    ],
)
def test_what_changed_since_the_checks_stops_it_at_the_last_moment(
    world: CandidateWorld, spoil: Callable[[CandidateWorld], None], said: str
) -> None:
    """A canary can take hours; production is asked for nothing then."""
    with world.stages(world.order(world.candidate())) as stages:
        for stage in (stages.check_code, stages.check_evidence, stages.admit, stages.prepare):
            stage()
        spoil(world)
        recorded = stages.deploy()
    assert recorded.status is Status.FAILED
    assert said in recorded.entries[-1].message
    assert world.fake.machine(MACHINE) is None


def test_an_order_does_not_go_on_under_another_name(world: CandidateWorld) -> None:
    """As one that was killed on its way to a refusal, when it did not compile."""
    order = world.order(world.candidate())
    _killed_before_its_refusal(world, order)
    world.metaflow.complaint = None
    with world.stages(order) as stages:
        stages.check_code()
        stages.check_evidence()
        with pytest.raises(PlatformError, match=f"was begun for {PATH}"):
            stages.admit()
    assert world.deployed == []


def _killed_before_its_refusal(world: CandidateWorld, order: Order) -> None:
    world.metaflow.complaint = "@parallel is not supported"
    with world.stages(order) as stages:
        stages.check_code()
        stages.check_evidence()
        with world.ledger.transaction() as tx:
            promotions.ask(tx, stages._request())
