"""What becomes of the incident of a missed schedule, and what may go wrong in looking for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ops_platform.adapters.ledger import incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import Machine, ScheduleRule
from ops_platform_tests.ledger_world import alerts
from ops_platform_tests.operations.schedule_world import (
    DAILY,
    DAY,
    GRACE,
    HOUR,
    MINUTE,
    MONDAY,
    ScheduleWorld,
    a_rule,
)

TUESDAY = MONDAY + DAY


@pytest.fixture
def world(emptied_ledger: Ledger) -> ScheduleWorld:
    """A flow that should start each day at midnight, watched since Sunday noon."""
    return ScheduleWorld(emptied_ledger, a_rule())


@pytest.fixture
def missed(world: ScheduleWorld) -> Incident:
    """The incident of the start that was missed on Monday."""
    [incident] = world.wait_until(MONDAY + GRACE).opened
    return incident


@pytest.mark.usefixtures("missed")
def test_a_run_that_starts_resolves_it_before_it_ends(world: ScheduleWorld) -> None:
    """The flow runs; whether it succeeds is the run's own matter."""
    world.start("made-up", MONDAY + HOUR)

    [resolved] = world.look().resolved

    assert (resolved.state, resolved.resolved_by) == ("resolved", "run sfn-made-up started")
    assert resolved.resolved_at == MONDAY + HOUR
    assert world.look().resolved == ()


@pytest.mark.usefixtures("missed")
def test_a_run_whose_event_was_lost_resolves_it_too(world: ScheduleWorld) -> None:
    """Step Functions is asked as long as somebody waits."""
    world.start("unheard-of", MONDAY + HOUR, tell=False)

    assert [each.resolved_by for each in world.look().resolved] == ["run sfn-unheard-of started"]


@pytest.mark.usefixtures("missed")
def test_further_missed_starts_are_counted_in_it(world: ScheduleWorld) -> None:
    """One incident, one message; the expected time stays that of the first."""
    look = world.wait_until(MONDAY + 2 * DAY + GRACE)

    assert look.opened == ()
    [incident] = world.incidents
    assert incident["opened_at"] == MONDAY
    assert incident["error"] == (
        "The rule daily, cron(0 0 * * ? *), should have started a run at 2026-03-02 00:00 UTC,"
        " and 3 starts are missed by now. It has never run."
    )
    assert len(alerts(world.ledger)) == 1


def test_the_next_start_missed_after_a_run_is_another_incident(
    world: ScheduleWorld, missed: Incident
) -> None:
    """The run in between has resolved the first."""
    world.start("made-up", MONDAY + HOUR)

    look = world.wait_until(TUESDAY + GRACE)

    [second] = look.opened
    assert second.opened_at == TUESDAY
    assert [row["id"] for row in world.incidents] == [missed.id, second.id]
    assert [row["state"] for row in world.incidents] == ["resolved", "open"]


def test_what_an_operator_resolved_is_not_opened_again(
    world: ScheduleWorld, missed: Incident
) -> None:
    """But the next start that is missed is a new one."""
    with world.ledger.transaction() as tx:
        incidents.resolve(tx, missed.id, by="ben", now=world.clock())

    assert world.wait_until(MONDAY + 9 * HOUR).opened == ()
    assert len(world.wait_until(TUESDAY + GRACE).opened) == 1


@pytest.mark.usefixtures("missed")
@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([a_rule(enabled=False)], "the rule was disabled"),
        ([], "the rule is gone"),
        ([a_rule("rate(7 days)")], "the schedule was changed"),
    ],
)
def test_nobody_waits_once_the_schedule_is_another(
    world: ScheduleWorld, rules: list[ScheduleRule], why: str
) -> None:
    """Somebody has seen to it."""
    world.rules[world.arn] = rules

    assert [each.resolved_by for each in world.look().resolved] == [why]


@pytest.mark.usefixtures("missed")
def test_nobody_waits_for_a_machine_that_was_deleted(world: ScheduleWorld) -> None:
    """Step Functions says so, even before the ledger has forgotten the machine."""
    world.states.delete(world.arn)

    look = world.look()

    assert [each.resolved_by for each in look.resolved] == ["the state machine is gone"]
    assert world.wait_until(TUESDAY + GRACE).opened == ()


@pytest.mark.usefixtures("missed")
def test_nobody_waits_for_a_machine_that_is_forgotten(world: ScheduleWorld) -> None:
    """Its rules are not even looked at any more."""
    world.forget(world.arn)

    look = world.look()

    assert [each.resolved_by for each in look.resolved] == ["the state machine is gone"]


def test_a_rate_is_missed_after_two_quiet_intervals(emptied_ledger: Ledger) -> None:
    """The rule has no moment of its own, so the wait is longer than for a time of the day."""
    world = ScheduleWorld(emptied_ledger, a_rule("rate(1 hour)", name="hourly"))
    world.start("last", MONDAY)

    assert world.wait_until(MONDAY + 2 * HOUR + GRACE - MINUTE).opened == ()
    [incident] = world.wait_until(MONDAY + 2 * HOUR + GRACE).opened

    assert incident.opened_at == MONDAY + 2 * HOUR
    assert "The last run, sfn-last, started at 2026-03-02 00:00 UTC and still runs." in str(
        incident.error
    )


def test_many_missed_starts_are_counted_in_round_numbers(emptied_ledger: Ledger) -> None:
    """Else the message of a flow due each minute would be edited at each look."""
    world = ScheduleWorld(emptied_ledger, a_rule("cron(* * * * ? *)"))
    world.wait_until(MONDAY)

    world.wait_until(MONDAY + HOUR)

    [incident] = world.incidents
    assert ", and at least 500 starts are missed by now." in incident["error"]


def test_several_rules_are_each_looked_at(emptied_ledger: Ledger) -> None:
    """The one that was due last is named; there is one incident all the same."""
    noon = a_rule("cron(0 12 * * ? *)", name="noon")
    world = ScheduleWorld(emptied_ledger, a_rule(), noon)
    world.start("midnight", MONDAY)

    [incident] = world.wait_until(MONDAY + 12 * HOUR + GRACE).opened
    assert str(incident.error).startswith("The rule noon, cron(0 12 * * ? *), should have started")

    assert world.wait_until(TUESDAY + GRACE).opened == ()
    [still] = world.incidents
    assert still["error"] == incident.error


def test_a_rule_that_we_may_not_read_hides_no_other(world: ScheduleWorld) -> None:
    """What was known of its schedule is kept, so that nothing is missed once we may."""
    other = world.states.deploy("fraud.prod.ScoreFlow", flow="ScoreFlow", owner="ana")
    world.known(Machine(other, flow="ScoreFlow", owner="ana"))
    world.forbidden.add(other)

    look = world.wait_until(MONDAY + GRACE)

    assert [each.flow for each in look.opened] == ["TrainFlow"]
    assert look.trouble == (f"Could not list the rules that start {other}.",)
    world.forbidden = {world.arn}
    assert world.wait_until(MONDAY + HOUR).resolved == ()
    world.forbidden = set()
    assert world.look().resolved == ()


def test_executions_that_we_may_not_list_open_no_incident(world: ScheduleWorld) -> None:
    """Without Step Functions' word nothing is said."""
    world.states.forbidden.add(world.arn)

    look = world.wait_until(MONDAY + GRACE)

    assert look.opened == ()
    assert [sentence for sentence in look.trouble if "AccessDenied" in sentence]


def test_an_aws_that_does_not_answer_ends_the_look(world: ScheduleWorld) -> None:
    """It goes on the next time."""
    world.states.busy_after["ListExecutions"] = 0

    look = world.wait_until(MONDAY + GRACE)

    assert (look.opened, len(look.trouble)) == ((), 1)
    world.states.busy_after.clear()
    assert len(world.look().opened) == 1


def test_an_expression_that_cannot_be_read_is_shown_once(emptied_ledger: Ledger) -> None:
    """It hides no other rule of the machine."""
    world = ScheduleWorld(emptied_ledger)
    world.rules[world.arn] = [a_rule("at(2026-03-02T00:00:00)", name="odd"), a_rule(DAILY)]

    look = world.look()

    [sentence] = look.unreadable
    assert sentence == (
        "Nobody can tell when fraud.prod.TrainFlow should start: the expression"
        " 'at(2026-03-02T00:00:00)' of the rule odd cannot be read, since it is neither cron(…)"
        " nor rate(…)."
    )
    again = world.wait_until(MONDAY + GRACE)
    assert (again.unreadable, again.scheduled, len(again.opened)) == ((), 1, 1)


def test_two_looks_at_once_open_one_incident(world: ScheduleWorld) -> None:
    """Dagster's and that of an operator at the command line."""
    world.clock.advance(MONDAY + GRACE - world.clock())

    with ThreadPoolExecutor(2) as pool:
        looks = list(pool.map(lambda _: world.look(), range(2)))

    assert sum(len(look.opened) for look in looks) == 1
    assert len(alerts(world.ledger)) == 1
