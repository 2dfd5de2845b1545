"""A flow that did not start when its rule says it should have is an incident, and only then."""

from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.ports import Machine, ScheduleRule
from ops_platform_tests.ledger_world import alerts
from ops_platform_tests.operations.schedule_world import (
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


def test_a_start_that_did_not_come_is_an_incident(world: ScheduleWorld) -> None:
    """It names the rule, the expected time and the last run."""
    run = world.start("by-hand", MONDAY - 2 * HOUR)
    world.end(run, "FAILED", MONDAY - HOUR)

    look = world.wait_until(MONDAY + GRACE)

    [incident] = look.opened
    assert (incident.flow, incident.owner, incident.project, incident.branch) == (
        "TrainFlow", "ana", "fraud", "prod",
    )  # fmt: skip
    assert (incident.kind, incident.reason) == ("missed_schedule", "missed schedule")
    assert (incident.opened_at, incident.machine_arn) == (MONDAY, world.arn)
    assert (incident.run_id, incident.execution_arn) == ("", None)
    assert incident.error == (
        "The rule daily, cron(0 0 * * ? *), should have started a run at 2026-03-02 00:00 UTC."
        " The last run, sfn-by-hand, started at 2026-03-01 22:00 UTC and failed."
    )


def test_it_is_told_at_once(world: ScheduleWorld) -> None:
    """Nothing more is to come that would be worth waiting for."""
    [incident] = world.wait_until(MONDAY + GRACE).opened

    [alert] = alerts(world.ledger)
    assert (alert["incident_id"], alert["state"]) == (incident.id, "pending")
    assert alert["due_at"] == MONDAY + GRACE


def test_a_flow_that_never_ran_says_so(world: ScheduleWorld) -> None:
    """There is no last run to name."""
    [incident] = world.wait_until(MONDAY + GRACE).opened

    assert str(incident.error).endswith(" It has never run.")


def test_a_run_may_be_late_by_the_grace(world: ScheduleWorld) -> None:
    """Until then nothing is said, and afterwards the run counts although it was late."""
    assert world.wait_until(MONDAY + GRACE - timedelta(seconds=1)).opened == ()

    world.start("late", MONDAY + GRACE)

    assert world.look().opened == ()
    assert world.wait_until(MONDAY + 9 * HOUR).opened == ()


def test_a_run_that_started_is_no_incident_however_it_ended(world: ScheduleWorld) -> None:
    """That it failed is told by another incident."""
    run = world.start("on-time", MONDAY + timedelta(seconds=30))
    world.end(run, "FAILED", MONDAY + MINUTE)

    assert world.wait_until(MONDAY + GRACE).opened == ()
    assert [row["kind"] for row in world.incidents] == ["run_failed"]


def test_a_run_by_hand_at_the_time_counts(world: ScheduleWorld) -> None:
    """The flow did run, whoever started it; nobody could tell the two apart either."""
    world.start("by-hand", MONDAY + 5 * MINUTE)

    assert world.wait_until(MONDAY + GRACE).opened == ()


@pytest.mark.parametrize(("early", "missed"), [(60, 0), (90, 1)])
def test_the_clocks_of_aws_may_differ_by_a_minute(
    world: ScheduleWorld, early: int, missed: int
) -> None:
    """A run that started just before its time is the one that was due."""
    world.start("early", MONDAY - timedelta(seconds=early))

    assert len(world.wait_until(MONDAY + GRACE).opened) == missed


def test_step_functions_is_asked_before_anything_is_said(world: ScheduleWorld) -> None:
    """The event of the start may have been lost, and no reconciliation reads what still runs."""
    world.start("unheard-of", MONDAY, tell=False)

    assert world.wait_until(MONDAY + GRACE).opened == ()
    assert world.states.calls["ListExecutions"] == 1


def test_step_functions_is_left_alone_if_the_ledger_knows(world: ScheduleWorld) -> None:
    """Its limits are the account's."""
    world.start("on-time", MONDAY)

    world.wait_until(MONDAY + GRACE)

    assert world.states.calls["ListExecutions"] == 0


def test_what_was_due_before_the_schedule_was_watched_is_not_missed(
    emptied_ledger: Ledger,
) -> None:
    """A flow that was just deployed was not there then, for all we know."""
    world = ScheduleWorld(emptied_ledger)
    world.clock.advance(MONDAY + HOUR - world.clock())
    world.schedule(a_rule())

    assert world.wait_until(MONDAY + DAY - HOUR).opened == ()
    assert len(world.wait_until(TUESDAY + GRACE).opened) == 1


@pytest.mark.parametrize(
    "changed", [a_rule("cron(30 23 * * ? *)"), a_rule(name="other"), a_rule(enabled=False)]
)
def test_a_change_begins_the_watch_anew(world: ScheduleWorld, changed: ScheduleRule) -> None:
    """Another expression, another rule, or the same after it was disabled for a while."""
    world.clock.advance(MONDAY - MINUTE - world.clock())
    world.schedule(changed)
    world.clock.advance(2 * MINUTE)
    world.schedule(a_rule())

    assert world.wait_until(TUESDAY - MINUTE).opened == ()
    assert len(world.wait_until(TUESDAY + GRACE).opened) == 1


def test_deploying_the_same_schedule_again_changes_nothing(world: ScheduleWorld) -> None:
    """Metaflow writes the rule with each deployment."""
    world.clock.advance(MONDAY - MINUTE - world.clock())
    world.schedule(a_rule())

    assert len(world.wait_until(MONDAY + GRACE).opened) == 1


@pytest.mark.parametrize("rules", [[], [a_rule(enabled=False)]])
def test_without_an_enabled_rule_nothing_is_missed(
    emptied_ledger: Ledger, rules: list[ScheduleRule]
) -> None:
    """Nobody said that the flow should start."""
    world = ScheduleWorld(emptied_ledger, *rules)

    look = world.wait_until(MONDAY + GRACE)

    assert (look.machines, look.scheduled, look.opened) == (1, 0, ())


def test_a_machine_of_nobody_we_know_is_not_looked_at(world: ScheduleWorld) -> None:
    """Only what Metaflow deployed is ours to watch."""
    foreign = world.states.deploy("nightly-etl")
    world.rules[foreign] = [a_rule(name="foreign")]
    world.known(Machine(foreign, flow=None, owner=None))

    assert world.wait_until(MONDAY + GRACE).machines == 1
