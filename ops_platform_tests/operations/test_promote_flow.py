"""Promotions: what they come to, and that production is as it was wherever they fail."""

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger import deployments, promotions
from ops_platform.adapters.ledger.database import Ledger, LedgerError
from ops_platform.domain.checks import LOADS
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployers import Expected, WaitFor
from ops_platform.domain.deployments import digest_of
from ops_platform.domain.findings import Report
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.promotions import Status, What
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.operations.promotion_world import (
    DAILY,
    HOURLY,
    MACHINE,
    KilledError,
    PromotionWorld,
)

OLD = CompiledFlow(commit="a" * 40)
OPERATIONS = [
    ("machine", 1), ("machine", 2), ("machine", 3), ("machine", 4), ("rule", 1), ("rule", 2),
    ("machine", 5), ("rule", 3), ("rule", 4), ("rule", 5), ("rule", 6), ("version", 1),
    ("version", 2), ("publish", 1), ("publish", 2),
    ("prepare", 1), ("deploy", 1), ("update", 1), ("put_rule", 1), ("start", 1),
]  # fmt: skip


@pytest.fixture
def world(emptied_ledger: Ledger) -> PromotionWorld:
    """Give production with a flow that somebody deployed by hand, daily."""
    made = PromotionWorld(emptied_ledger)
    made.deployed_by_hand(OLD)
    return made


def _whats(world: PromotionWorld, request_id: str) -> list[What]:
    with world.ledger.transaction() as tx:
        found = promotions.get(tx, request_id)
    assert found is not None
    return [entry.what for entry in found.entries]


def test_a_promotion_deploys_and_starts_and_is_recorded(world: PromotionWorld) -> None:
    """Definition, schedule, first run, and the version to go back to."""
    request = world.request()
    recorded = world.promote(request)
    assert recorded.status is Status.SUCCEEDED
    assert _whats(world, request.id) == [
        What.CHECKED, What.LOCKED, What.KEPT, What.PREPARED, What.DEPLOYING, What.DEPLOYED,
        What.VERIFIED, What.PUBLISHED, What.STARTED, What.SUCCEEDED,
    ]  # fmt: skip
    with world.ledger.transaction() as tx:
        made = deployments.latest(tx, "production", MACHINE)
    assert made is not None
    assert (made.commit, made.owner, made.promotion_id) == ("b" * 40, "ada", request.id)
    assert made.rule is not None
    assert (made.rule.expression, made.rule.enabled) == (HOURLY, True)
    assert made.execution_arn is not None
    assert "pr12-bbbbbbbb-" in made.execution_arn
    assert world.production.version(made.version_arn) is not None
    assert world.holder() == 12


def test_what_changed_is_in_the_record(world: PromotionWorld) -> None:
    """Without what differs each time."""
    entries = {entry.what: entry for entry in world.promote(world.request()).entries}
    assert entries[What.PREPARED].detail == {"changes": ["start: memory (MiB) 4,096 → 8,000"]}


def test_a_flow_that_is_new_is_promoted(emptied_ledger: Ledger) -> None:
    """There is nothing to go back to."""
    world = PromotionWorld(emptied_ledger)
    recorded = world.promote(world.request(), schedule=None)
    assert recorded.status is Status.SUCCEEDED
    assert world.state()[1] is None


def test_the_same_request_twice_is_one_promotion(world: PromotionWorld) -> None:
    """The second one touches nothing."""
    first = world.promote(world.request())
    before = world.production.calls["any"]
    assert world.promote(world.request()) == first
    assert world.production.calls["any"] == before


def test_a_second_promotion_replaces_the_first(world: PromotionWorld) -> None:
    """Of the same pull request, which keeps its lock."""
    world.promote(world.request())
    world.promote(world.request(commit="c" * 40))
    with world.ledger.transaction() as tx:
        newest, oldest = deployments.history(tx, "production", MACHINE)
    assert (newest.commit, newest.replaced) == ("c" * 40, oldest.id)


def test_checks_that_did_not_pass_refuse_it(world: PromotionWorld) -> None:
    """Nothing is touched, nothing locked."""
    before = world.state()
    report = Report("Forecast", (LOADS.failed("does-not-load", "It does not load."),))
    recorded = world.promote(world.request(), report=report)
    assert recorded.status is Status.REFUSED
    assert recorded.entries[0].detail["passed"] is False
    assert (world.state(), world.holder()) == (before, None)


def test_another_pull_request_is_refused_by_name(world: PromotionWorld) -> None:
    """Until the first is done with the flow."""
    world.promote(world.request())
    after = world.state()
    recorded = world.promote(world.request(13, "c" * 40))
    assert recorded.status is Status.REFUSED
    assert "acme/flows#12 holds shop.prod.Forecast" in recorded.entries[-1].message
    assert world.state() == after


def test_what_somebody_changed_by_hand_is_not_overwritten(world: PromotionWorld) -> None:
    """It is refused; the pull request keeps the flow for what it promoted before."""
    world.promote(world.request(), schedule=HOURLY)
    world.deployed_by_hand(OLD, DAILY)
    recorded = world.promote(world.request(commit="c" * 40))
    assert recorded.status is Status.REFUSED
    assert recorded.entries[-1].detail == {"check": "drift"}
    assert "soteria adopt" in recorded.entries[-1].message
    assert world.holder() == 12


def test_a_failure_after_a_success_keeps_the_flow(world: PromotionWorld) -> None:
    """Else another pull request could take the first change back unseen."""
    world.promote(world.request())
    world.production.fail("deploy")
    failed = world.promote(world.request(commit="c" * 40))
    assert (failed.status, world.holder()) == (Status.FAILED, 12)
    other = world.promote(world.request(13, "d" * 40))
    assert other.status is Status.REFUSED


def test_a_canary_that_a_killed_promotion_left_is_gone_on_with(world: PromotionWorld) -> None:
    """Its run is of the same commit; nothing of it stays in production."""
    world.on_sleep = lambda: _raise(KilledError())
    with pytest.raises(KilledError):
        world.promote(world.request(canary=True))
    left = [name for name in world.production.names() if "canary" in name]

    def succeed() -> None:
        for each in world.production.runs():
            world.production.end(each.arn, "SUCCEEDED")

    world.on_sleep = succeed
    recorded = world.promote(world.request(canary=True))
    assert recorded.status is Status.SUCCEEDED, (left, recorded.entries[-1].message)
    assert world.production.names() == [MACHINE]


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (CompiledFlow(commit="d" * 40), "is of dddddd"),
        (CompiledFlow(commit="b" * 40, is_dirty=True), "with changes"),
        (CompiledFlow(commit=None), "no commit"),
    ],
)
def test_other_code_than_the_reviewed_one_is_not_deployed(
    world: PromotionWorld, flow: CompiledFlow, words: str
) -> None:
    """It is found out before anything is changed."""
    before = world.state()
    recorded = world.promote(world.request(), flow)
    assert recorded.status is Status.FAILED
    assert words in recorded.entries[-1].message
    assert world.production.calls["deploy"] == 1  # the one by hand
    assert (world.state(), world.holder()) == (before, None)


def test_a_flow_that_compiles_to_something_else_is_not_deployed(world: PromotionWorld) -> None:
    """Than what passed the checks in the sandbox."""
    recorded = world.promote(world.request(), expected=Expected("other", MACHINE, HOURLY))
    assert recorded.status is Status.FAILED
    assert "something else than in the sandbox" in recorded.entries[-1].message
    assert world.production.calls["deploy"] == 1  # the one by hand


def test_a_schedule_that_is_not_the_promised_one_is_put_back(world: PromotionWorld) -> None:
    """With the definition."""
    before = world.state()
    flow = CompiledFlow(commit="b" * 40).but_first(memory="8000")
    expected = Expected(shape(read_machine(flow.text())), MACHINE, DAILY)
    recorded = world.promote(world.request(), flow, schedule=HOURLY, expected=expected)
    assert recorded.status is Status.FAILED
    assert "The schedule of shop.prod.Forecast is" in recorded.entries[-1].message
    assert world.state() == before


@pytest.mark.parametrize("schedule", [DAILY, HOURLY, None])
def test_what_somebody_deploys_meanwhile_stays(world: PromotionWorld, schedule: str | None) -> None:
    """As during a canary: it is neither deployed over nor put back."""
    looks = iter(range(10))
    theirs = OLD.but_first(memory="5000") if schedule == DAILY else OLD

    def deploy_before_the_second_look() -> None:
        if next(looks) == 1:
            world.deployed_by_hand(theirs, schedule)

    recorded = world.promote(world.request(), confirm=deploy_before_the_second_look)
    assert recorded.status is Status.FAILED
    assert "Somebody changed shop.prod.Forecast meanwhile." in recorded.entries[-1].message
    assert What.RESTORED not in {each.what for each in recorded.entries}
    machine, rule = world.production.machine(MACHINE), world.production.rule(MACHINE)
    assert machine is not None
    assert digest_of(machine) == digest_of(replace(machine, definition=theirs.text()))
    assert rule is not None
    assert (rule.expression, rule.enabled) == (schedule or DAILY, schedule is not None)


def test_who_lost_the_turn_changes_nothing(world: PromotionWorld) -> None:
    """As when Postgres fails over: somebody else may be at it by then."""
    before, looks = world.state(), iter(range(10))

    def lose_it_at_the_second_look() -> None:
        if next(looks) == 1:
            with world.ledger.transaction() as tx:
                ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                assert tx.execute(sa.text(ended)).scalars().all() == [True]

    recorded = world.promote(world.request(), confirm=lose_it_at_the_second_look)
    assert recorded.status is Status.FAILED
    assert "was lost" in recorded.entries[-1].message
    assert world.state() == before


def test_where_it_logged_to_is_put_back(world: PromotionWorld) -> None:
    """Metaflow's deployment turns it off."""
    world.production.log_to(MACHINE, '{"level": "ALL"}')
    world.production.fail("start")
    assert world.promote(world.request()).status is Status.FAILED
    machine = world.production.machine(MACHINE)
    assert machine is not None
    assert machine.logging == '{"level": "ALL"}'


def test_logging_that_cannot_be_put_back_is_named(world: PromotionWorld) -> None:
    """It asks for rights of its own; definition and schedule are back by then."""
    before = world.state()
    world.production.log_to(MACHINE, '{"level": "ALL"}')
    world.production.fail("start")
    world.production.fail("update", nth=3)
    recorded = world.promote(world.request())
    assert (recorded.status, world.state()) == (Status.LEFT, before)
    assert str(recorded.entries[-1].detail["left"]).endswith('Its logging was {"level": "ALL"}.')


def test_what_was_deployed_under_another_name_is_named(world: PromotionWorld) -> None:
    """A flow can draw its name; then it is left for somebody to look at."""
    before, request = world.state(), world.request()
    flow = CompiledFlow(commit="b" * 40, tags=(f"promotion:{request.id}",))
    recorded = world.promote(request, flow, machine="shop.prod.Stray", schedule=None)
    assert recorded.status is Status.LEFT
    assert recorded.entries[-1].detail["left"] == "Delete shop.prod.Stray and what starts them."
    assert world.state() == before


def test_another_flow_than_the_checked_one_is_not_deployed(world: PromotionWorld) -> None:
    """Of two in one file."""
    recorded = world.promote(world.request(flow="Other"))
    assert recorded.status is Status.FAILED
    assert "is Forecast, not Other" in recorded.entries[-1].message


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("operation", "nth"), OPERATIONS)
def test_a_failure_anywhere_leaves_production_as_it_was(
    world: PromotionWorld, operation: str, nth: int, *, after: bool
) -> None:
    """Definition and schedule; the lock is free, and the next attempt succeeds."""
    before = world.state()
    calls = world.production.calls[operation]
    world.production.fail(operation, nth=nth, after=after)
    try:
        status = world.promote(world.request()).status
    except AwsError:
        status = Status.RUNNING  # before anything was kept: the same request goes on
        assert world.state() == before
    assert world.production.calls[operation] >= calls + nth  # or it did not fail at all
    if status is Status.FAILED:
        assert (world.state(), world.holder()) == (before, None)
        assert world.promote(world.request(attempt=2)).status is Status.SUCCEEDED
    else:
        assert world.promote(world.request()).status is Status.SUCCEEDED
    assert world.holder() == 12


def test_a_new_flow_that_fails_is_gone_again(emptied_ledger: Ledger) -> None:
    """Machine and rule, which Metaflow makes one after the other."""
    world = PromotionWorld(emptied_ledger)
    world.production.fail("put_rule")
    assert world.promote(world.request()).status is Status.FAILED
    assert world.state() == (None, None)


def test_what_cannot_be_put_back_is_named(world: PromotionWorld) -> None:
    """And what is left to do; the lock stays, so that nobody builds on it."""
    world.production.fail("put_rule", nth=1)
    world.production.fail("update", nth=2)
    recorded = world.promote(world.request())
    assert recorded.status is Status.LEFT
    left = str(recorded.entries[-1].detail["left"])
    assert left.startswith(f"Update {MACHINE} to the definition of arn:")
    assert left.endswith(f"and put the rule {MACHINE} back to {DAILY}, enabled.")
    assert world.holder() == 12


def _killed_at(world: PromotionWorld, call: int, *, after: bool) -> bool:
    """Promote and be killed at a call of AWS; tell whether there was so late a one."""
    world.production.fail("any", KilledError(), nth=call, after=after)
    try:
        world.promote(world.request())
    except KilledError:
        return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 21))
@pytest.mark.slow
def test_killed_at_any_call_it_goes_on(world: PromotionWorld, call: int, *, after: bool) -> None:
    """Whoever asks again comes to the same end: one deployment, one first run."""
    assert _killed_at(world, call, after=after)
    assert world.promote(world.request()).status is Status.SUCCEEDED
    _assert_promoted_once(world)


def test_there_are_no_later_calls(world: PromotionWorld) -> None:
    """At which it could be killed."""
    assert not _killed_at(world, 21, after=False)


@pytest.mark.parametrize("look", range(1, 15))
@pytest.mark.slow
def test_killed_before_any_entry_it_goes_on(world: PromotionWorld, look: int) -> None:
    """The clock is looked at before each thing is written down."""
    looks = iter(range(1, 100))

    def kill() -> None:
        if next(looks) == look:
            raise KilledError

    world.on_clock = kill
    try:
        world.promote(world.request())
    except KilledError:
        world.on_clock = lambda: None
    assert world.promote(world.request()).status is Status.SUCCEEDED
    _assert_promoted_once(world)


def _assert_promoted_once(world: PromotionWorld) -> None:
    with world.ledger.transaction() as tx:
        (made,) = deployments.history(tx, "production", MACHINE)
        recorded = promotions.get(tx, made.promotion_id)
    assert recorded is not None
    started = {e.detail["execution_arn"] for e in recorded.entries if e.what is What.STARTED}
    assert started == {made.execution_arn}
    kept = [e.detail["version_arn"] for e in recorded.entries if e.what is What.KEPT]
    assert len(kept) == 1
    before = world.production.version(str(kept[0]))
    assert before is not None
    assert "a" * 40 in before.definition


def test_a_first_run_that_fails_puts_all_back(world: PromotionWorld) -> None:
    """Where the policy waits for its success."""
    before = world.state()
    world.waiting_for(wait_for=WaitFor.SUCCEEDED)
    world.on_sleep = lambda: _end(world, "FAILED")
    recorded = world.promote(world.request())
    assert recorded.status is Status.FAILED
    assert "did not succeed: it is FAILED" in recorded.entries[-1].message
    assert world.state() == before


def test_a_first_run_that_succeeds_is_waited_for(world: PromotionWorld) -> None:
    """Where the policy says so."""
    world.waiting_for(wait_for=WaitFor.SUCCEEDED)
    world.on_sleep = lambda: _end(world, "SUCCEEDED")
    assert world.promote(world.request()).status is Status.SUCCEEDED


def test_a_first_run_that_takes_too_long_is_stopped(world: PromotionWorld) -> None:
    """And all is put back."""
    before = world.state()
    world.waiting_for(wait_for=WaitFor.SUCCEEDED, run_seconds=60.0)
    recorded = world.promote(world.request())
    assert "was stopped. It took longer than 60 s." in recorded.entries[-1].message
    assert world.state() == before
    assert {run.status for run in world.production.runs()} == {"ABORTED"}


@pytest.mark.parametrize("status", ["FAILED", "SUCCEEDED"])
def test_a_canary_comes_before_the_real_one(world: PromotionWorld, status: str) -> None:
    """Without a schedule, under another name, and gone afterwards."""
    before = world.state()
    seen: list[list[str]] = []

    def end() -> None:
        seen.append(world.production.names())
        _end(world, status)

    world.on_sleep = end
    recorded = world.promote(world.request(canary=True))
    assert recorded.status is (Status.SUCCEEDED if status == "SUCCEEDED" else Status.FAILED)
    assert [name.startswith(f"{MACHINE}-canary-") for name in seen[0]] == [False, True]
    assert world.production.names() == [MACHINE]
    if status == "FAILED":
        assert world.state() == before
        assert world.production.calls["deploy"] == 1  # the one by hand


def _end(world: PromotionWorld, status: str) -> None:
    for run in world.production.runs():
        if run.ended_at is None:
            world.production.end(run.arn, status)


def test_two_at_once_are_one_after_the_other(world: PromotionWorld) -> None:
    """The second is told that somebody is at it, and touches nothing."""
    inside, told = threading.Event(), threading.Event()
    second: list[str] = []

    def wait() -> None:
        inside.set()
        assert told.wait(20)
        _end(world, "SUCCEEDED")

    world.waiting_for(wait_for=WaitFor.SUCCEEDED)
    world.on_sleep = wait
    first = threading.Thread(target=world.promote, args=(world.request(),))
    first.start()
    assert inside.wait(20)
    try:
        world.promote(world.request(13, "c" * 40))
    except LedgerError as error:
        second.append(str(error))
    finally:
        told.set()
        first.join(20)
    assert "Somebody else is at it: the promotion of shop.prod.Forecast in production" in second[0]
    assert world.holder() == 12


def test_a_look_that_fails_before_anything_was_done_gives_the_flow_back(
    world: PromotionWorld,
) -> None:
    """Else it would be held by an order that nobody goes on with."""
    world.production.fail("rule")
    recorded = world.promote(world.request())
    assert (recorded.status, world.holder()) == (Status.FAILED, None)


def test_whoever_goes_on_does_not_go_over_what_was_deployed_since(world: PromotionWorld) -> None:
    """As when an operator took the flow back after the promotion was killed."""
    world.promote(world.request())
    world.production.fail("deploy", KilledError())
    killed = world.request(commit="c" * 40)
    with pytest.raises(KilledError):
        world.promote(killed)
    since = world.promote(world.request(commit="d" * 40, attempt=2))
    assert since.status is Status.SUCCEEDED
    after = world.state()
    recorded = world.promote(killed)
    assert recorded.status is Status.FAILED
    assert f"{since.request.id} of ana has deployed" in recorded.entries[-1].message
    assert (world.state(), world.holder()) == (after, 12)
