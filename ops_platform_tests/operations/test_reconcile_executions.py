"""What events missed is found by asking, once, and the rest of the time little is asked."""

from datetime import datetime, timedelta

import pytest

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.operations.reconcile_world import INTERVAL, World


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Give an account with one flow, and an empty ledger."""
    return World(emptied_ledger)


def test_a_failure_of_which_no_event_came_is_found_and_alerted(world: World) -> None:
    """Its incident is that of any failed run."""
    world.watch()
    world.fail("lost")

    done = world.reconcile()

    assert (done.machines, done.read, done.filled, done.unfinished) == (1, 1, 1, 0)
    assert done.trouble == ()
    (incident,) = world.rows(schema.incidents)
    assert incident["kind"] == "run_failed"
    assert incident["error"] == "States.TaskFailed; it broke"
    assert (incident["flow"], incident["account"]) == ("TrainFlow", ACCOUNT)
    assert world.told() == [("pending", None)]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_every_end_is_found(world: World, status: str) -> None:
    """Also the good one, without which a run would go on for ever."""
    world.watch()
    arn = world.api.start(world.flow, "run")
    world.deliver()
    world.wait(minutes=1)
    world.api.end(arn, status)

    world.reconcile()

    assert world.statuses() == {"run": status}


def test_what_the_events_told_is_listed_and_no_more(world: World) -> None:
    """An execution whose end is known costs no call of its own."""
    world.watch()
    world.fail("known")
    world.deliver()

    done = world.reconcile()

    assert (done.read, done.filled) == (1, 0)
    assert world.api.calls["DescribeExecution"] == 0


def test_what_is_read_once_is_not_read_again(world: World) -> None:
    """The watermark moves on; what lies before it by more than the overlap is left alone."""
    world.watch()
    world.fail("lost")
    world.reconcile()
    calls = world.api.calls["DescribeExecution"]
    world.wait(minutes=11)

    done = world.reconcile()

    assert (done.read, done.filled, world.api.calls["DescribeExecution"]) == (1, 0, calls)
    world.wait(minutes=11)
    assert world.reconcile().read == 0


def test_an_event_that_comes_after_all_changes_nothing(world: World) -> None:
    """There is one incident and one alert, whichever way the failure became known first."""
    world.watch()
    world.fail("late")
    world.reconcile()
    before = world.rows(schema.incidents), world.told()

    world.deliver()

    assert (world.rows(schema.incidents), world.told()) == before


def test_a_redriven_run_that_fails_again_is_a_new_failure_of_the_same_run(world: World) -> None:
    """The second failure comes up in the list, with its later stop."""
    world.watch()
    arn = world.fail("run")
    world.reconcile()
    world.wait(minutes=20)
    world.api.redrive(arn)
    again = world.wait(minutes=2)
    world.api.end(arn, "FAILED", error="States.Timeout")

    done = world.reconcile()

    assert done.filled == 1
    (incident,) = world.rows(schema.incidents)
    assert (incident["opened_at"], incident["error"]) == (again, "States.Timeout")
    assert incident["state"] == "open"


def test_a_redriven_run_that_succeeds_resolves_its_incident(world: World) -> None:
    """Though none of its events came."""
    world.watch()
    arn = world.fail("run")
    world.reconcile()
    world.api.redrive(arn)
    world.wait(minutes=2)
    world.api.end(arn, "SUCCEEDED")

    world.reconcile()

    assert world.incidents() == {"run": "resolved"}


def test_a_later_success_that_no_event_told_of_resolves_an_incident(world: World) -> None:
    """It was a run of the same state machine."""
    world.watch()
    world.fail("broken")
    world.deliver()
    arn = world.api.start(world.flow, "mended")
    world.wait(minutes=1)
    world.api.end(arn, "SUCCEEDED")

    world.reconcile()

    assert world.incidents() == {"broken": "resolved"}


def test_foreign_machines_are_looked_at_once_a_day(world: World) -> None:
    """Their executions are nobody's business here; they may become flows, under the same ARN."""
    foreign = world.api.deploy("nightly-etl")
    world.watch()
    world.fail("foreign", machine=foreign)
    world.reconcile()
    assert world.statuses() == {}
    described = world.api.calls["DescribeStateMachine"]
    assert described == 2

    world.api.deploy("nightly-etl", flow="EtlFlow", owner="bo")
    world.wait(hours=25)
    done = world.reconcile()

    assert (done.machines, world.statuses()) == (2, {})
    world.fail("own", machine=foreign)
    world.reconcile()
    assert world.statuses() == {"own": "FAILED"}


def test_a_flow_that_is_deployed_and_fails_between_two_ticks_is_found(world: World) -> None:
    """No event needs to tell of the machine."""
    world.watch()
    new = world.api.deploy("NewFlow", flow="NewFlow", owner="bo")
    world.fail("first", machine=new)

    assert world.reconcile().machines == 2

    assert world.incidents() == {"first": "open"}


def test_a_deleted_machine_is_forgotten_and_its_open_run_asked_for(world: World) -> None:
    """No list tells of it any more; what the ledger holds open is asked for by itself."""
    world.watch()
    arn = world.api.start(world.flow, "run")
    world.deliver()
    world.wait(minutes=3)
    world.api.end(arn, "ABORTED", cause="the machine is deleted")
    world.api.delete(world.flow)
    world.wait(minutes=3)

    done = world.reconcile()

    assert (done.machines, done.filled, done.trouble) == (0, 1, ())
    assert world.statuses() == {"run": "ABORTED"}
    assert world.incidents() == {"run": "open"}
    assert world.watermarks() == {}


def test_an_open_run_that_aws_forgot_is_lost_and_asked_for_no_more(world: World) -> None:
    """Nobody will ever know how it ended."""
    world.watch()
    arn = world.api.start(world.flow, "run")
    world.deliver()
    world.wait(days=91)
    world.api.purge(arn)
    world.reconcile()
    assert world.statuses() == {"run": "LOST"}
    calls = world.api.calls["DescribeExecution"]

    world.wait(hours=1)
    world.reconcile()

    assert world.api.calls["DescribeExecution"] == calls


def test_a_run_that_goes_on_is_asked_for_and_stays_as_it_is(world: World) -> None:
    """Nothing is written as long as nothing is new."""
    world.watch()
    world.api.start(world.flow, "run")
    world.deliver()
    before = world.rows(schema.executions)
    world.wait(hours=2)

    done = world.reconcile()

    assert (done.read, done.filled) == (1, 0)
    assert world.rows(schema.executions) == before


def test_the_children_of_a_distributed_map_open_nothing(world: World) -> None:
    """They are in no list, are not asked for, and what events tell of them is no incident."""
    world.watch()
    label = f"{world.flow}/work"
    world.fail("child", machine=label)
    world.api.start(label, "another child")
    world.deliver()
    world.wait(hours=1)
    parent = world.fail("parent")

    done = world.reconcile()

    assert (done.read, done.filled) == (1, 1)
    assert world.api.calls["DescribeExecution"] == 1
    assert world.incidents() == {"parent": "open"}
    assert world.rows(schema.incidents)[0]["execution_arn"] == parent


def test_the_first_time_nothing_old_is_alerted(world: World) -> None:
    """It is recorded, as the run's history; the alert is withheld, and says why."""
    world.fail("yesterday")
    world.wait(hours=20)
    world.fail("just now")
    world.wait(seconds=1)

    done = world.reconcile()

    assert done.filled == 2
    assert world.incidents() == {"yesterday": "open", "just now": "open"}
    assert world.told() == [("withheld", "ended before the account was watched")] * 2


def test_what_ended_before_one_looks_back_is_left_alone(world: World) -> None:
    """Its alert would be too old anyway."""
    world.fail("long ago")
    world.wait(hours=25)

    assert world.reconcile().filled == 0


def test_nobody_looks_back_further_than_aws_remembers(world: World) -> None:
    """However old an alert may be."""
    world.fail("long ago")
    world.wait(days=91)

    assert world.reconcile(look_back=timedelta(days=365)).read == 0


def test_an_account_is_watched_from_its_first_event_on(world: World) -> None:
    """What fails before the first reconciliation, and after that event, is news."""
    world.api.start(world.flow, "seen")
    world.deliver()
    world.wait(minutes=1)
    world.fail("lost")

    world.reconcile()

    assert world.told() == [("pending", None)]


def test_each_failed_run_is_alerted_within_an_interval_though_events_are_lost(
    world: World,
) -> None:
    """One of five events of Step Functions is dropped, in no order, for an hour."""
    world.reconcile()
    sound = world.api.deploy("Sound", flow="Sound", owner="bo")
    failed: dict[str, datetime] = {}
    known: dict[str, datetime] = {}
    delivered = 0
    for minute in range(60):
        world.wait(minutes=1)
        flow, status = (world.flow, "FAILED") if minute % 3 else (sound, "SUCCEEDED")
        arn = world.api.start(flow, f"run-{minute}")
        world.wait(seconds=1)
        world.api.end(arn, status)
        if status == "FAILED":
            failed[f"run-{minute}"] = world.clock()
        kept = [e for at, e in enumerate(world.api.events) if at >= delivered and at % 5]
        delivered = len(world.api.events)
        world.deliver(*kept)
        if minute % 5 == 4:
            world.reconcile()
        for name in world.incidents():
            known.setdefault(name, world.clock())
    assert known.keys() == failed.keys()
    assert max(known[name] - failed[name] for name in failed) <= INTERVAL + timedelta(seconds=5)
    assert world.told() == [("pending", None)] * len(failed)


@pytest.mark.parametrize(("overlap", "found"), [(10, {"late": "open"}), (0, {})])
def test_an_overlap_is_needed_since_lists_are_behind(
    world: World, overlap: int, found: dict[str, str]
) -> None:
    """Without it, what the list did not show yet lies before the watermark for good."""
    world.watch()
    world.api.lag = timedelta(minutes=3)
    world.fail("late")
    world.wait(seconds=30)
    world.reconcile(overlap=timedelta(minutes=overlap))
    assert world.incidents() == {}
    world.wait(minutes=5)

    world.reconcile(overlap=timedelta(minutes=overlap))

    assert world.incidents() == found
