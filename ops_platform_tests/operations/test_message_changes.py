"""What is told changes: messages are edited in place, threads and notes follow."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.telling import Why
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run

RUN = Run("run", jobs=2)
DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


@pytest.fixture
def told(world: World) -> str:
    """Give the incident of a run of which two jobs failed, told already."""
    incident = world.happened(RUN)
    world.settle()
    assert world.delivered() == [("message", "sent"), ("details/0001", "sent")]
    return incident


def one_more_failure(world: World, number: int = 7) -> None:
    """Let it be known late that another job had failed, before the run did."""
    world.came(RUN.arn, RUN.failed_job(number, world.clock() - timedelta(minutes=5)))


def test_another_failure_edits_the_message_and_its_page(world: World, told: str) -> None:
    """In place, after the time that lets several come together, and nobody is called."""
    first = world.messages()[0]
    one_more_failure(world)
    assert world.alert(told).why == "new failures"
    assert world.delivered() == []
    one_more_failure(world, 8)
    world.update()
    assert world.delivered() == [("message", "sent"), ("details/0001", "sent")]
    (message,) = world.messages()
    assert (message.ts, message.revision, message.pings) == (first.ts, 1, first.pings)
    assert "4 jobs failed" in str(message.blocks)
    (page,) = world.thread()
    assert page.revision == 1


def test_an_edit_that_changes_no_word_asks_nothing_of_slack(world: World, told: str) -> None:
    """What changed and changed back leaves the words as they are."""
    calls = len(world.inbox.calls())
    with world.ledger.transaction() as tx:
        alerts.expect(tx, world.alert(told), Why.DETAILS, due_at=world.clock())
    assert world.delivered() == [("message", "sent")]
    assert (world.alert(told).state, len(world.inbox.calls())) == ("sent", calls)


def test_a_failure_alone_has_no_page_until_another_joins_it(world: World) -> None:
    """The message tells all of it; what stood on a page by then is taken back."""
    run = Run("alone", jobs=1)
    world.happened(run)
    world.settle()
    assert world.delivered() == [("message", "sent")]
    world.came(run.arn, run.failed_job(7, world.clock() - timedelta(minutes=5)))
    world.update()
    assert world.delivered() == [("message", "sent"), ("details/0001", "sent")]
    world.wait(minutes=5)
    redriven = run.execution(world.clock(), "FAILED", redriven_at=world.clock() - 2 * MINUTE)
    world.came(run.arn, run.failed_job(0, world.clock()), redriven)
    world.until_quiet()
    assert world.thread()[0].text.startswith("Only one job counts as failed by itself now")


def test_nothing_new_is_nothing_to_tell(world: World, told: str) -> None:
    """The same events again, and any number of rounds, make no call."""
    calls = len(world.inbox.calls())
    world.came(RUN.arn, *RUN.ended(world.clock() - timedelta(seconds=60), "FAILED"))
    for _ in range(3):
        world.wait(minutes=10)
        assert world.delivered() == []
    assert len(world.inbox.calls()) == calls
    assert told


# --- it is over -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["a later run", "a redrive", "by hand"])
def test_what_is_over_is_told_on_the_message_and_in_its_thread(
    world: World, told: str, how: str
) -> None:
    """At once, without calling anybody."""
    match how:
        case "a later run":
            world.wait(minutes=20)
            world.happened(Run("next"), "SUCCEEDED")
        case "a redrive":
            world.wait(minutes=5)
            world.happened(RUN, "SUCCEEDED")
        case "by hand":
            world.resolved_by_hand(told)
    delivered = dict(world.delivered())
    note = next(part for part in delivered if part.startswith("resolved/"))
    assert delivered == {"message": "sent", note: "sent"}
    (message,) = world.messages()
    assert "🟢" in str(message.blocks)
    assert [reply.pings for reply in world.thread()] == [(), ()]
    assert (world.delivered(), world.alert(told).state) == ([], "sent")


def test_what_is_over_while_an_edit_waits_is_noted_all_the_same(world: World, told: str) -> None:
    """The edit that waits says it is over; the note that rings is not left out for it."""
    one_more_failure(world)
    world.wait(seconds=5)
    world.happened(RUN, "SUCCEEDED")
    assert world.alert(told).why == "resolved"
    assert [part.partition("/")[0] for part, _ in world.delivered()] == [
        "message",
        "details",
        "resolved",
    ]


def test_a_run_that_fails_again_calls_its_owner_in_the_thread(world: World, told: str) -> None:
    """After a redrive that failed, and after one that had succeeded."""
    for minutes in (10, 20):
        world.wait(minutes=minutes)
        world.happened(RUN, "FAILED")
        world.until_quiet()
    world.wait(minutes=5)
    world.happened(RUN, "SUCCEEDED")
    world.until_quiet()
    world.wait(minutes=5)
    world.happened(RUN, "FAILED")
    world.until_quiet()
    notes = [part.partition("/")[0] for part in world.parts(told) if "details" not in part]
    assert sorted(notes) == ["again", "again", "again", "message", "resolved"]
    pings = [reply.pings for reply in world.thread()]
    assert pings.count(("U0ADA00001",)) == 3
    assert len(world.messages()) == 1


def test_a_failure_whose_machine_succeeded_since_is_not_told(world: World) -> None:
    """Its event comes after the later run's."""
    world.wait(minutes=20)
    world.happened(Run("next"), "SUCCEEDED")
    late = world.came(RUN.arn, *RUN.ended(world.clock() - timedelta(minutes=15), "FAILED"))
    world.settle()
    assert (world.delivered(), world.alert(late).reason) == ([], "already resolved")


def test_the_first_run_that_succeeded_since_is_named_whichever_was_heard_of_first(
    world: World, told: str
) -> None:
    """A correction is an edit, and no second note."""
    world.wait(minutes=30)
    second, first = Run("second"), Run("first")
    world.came(second.arn, second.execution(world.clock(), "SUCCEEDED"))
    world.until_quiet()
    assert world.incident(told).resolved_by == "run sfn-second succeeded"
    world.came(first.arn, first.execution(world.clock() - timedelta(minutes=15), "SUCCEEDED"))
    world.update()
    world.until_quiet()
    assert world.incident(told).resolved_by == "run sfn-first succeeded"
    assert "first" in str(world.messages()[0].blocks)
    assert [part.partition("/")[0] for part in world.parts(told)].count("resolved") == 1


# --- it stays broken ------------------------------------------------------------------------------


def test_a_flow_of_production_that_stays_broken_is_reminded_of(world: World) -> None:
    """Once for each repeat interval, in the thread, to its owner; staging never is."""
    world.configure(repeat={"production": DAY})
    broken = world.failed_run("run", account="production")
    quiet = world.failed_run("run", account="staging")
    world.settle()
    world.until_quiet()
    edits = world.edits()
    for _ in range(2):
        world.wait(hours=23.9)
        assert world.delivered() == []
        world.wait(hours=0.1)
        ((part, state),) = world.delivered()
        assert (part.partition("/")[0], state) == ("reminder", "sent")
    assert world.edits() == edits
    assert [reply.pings for reply in world.thread("production")[1:]] == [("U0ADA00001",)] * 2
    assert len(world.thread("staging")) == 1
    assert world.alert(broken).state == "sent"
    # What nobody is reminded of is not looked over again for ever.
    assert [world.alert(one).mentioned_at is None for one in (broken, quiet)] == [False, True]


def test_nobody_is_reminded_of_what_is_over_or_was_just_told_again(world: World) -> None:
    """A failure after a redrive counts as told."""
    world.configure(repeat={"production": DAY})
    run = Run("run", account="production")
    world.happened(run)
    world.settle()
    world.until_quiet()
    world.wait(hours=20)
    world.happened(run)
    world.until_quiet()
    world.wait(hours=23)
    assert world.delivered() == []
    world.happened(run, "SUCCEEDED")
    world.until_quiet()
    world.wait(hours=99)
    assert world.delivered() == []


# --- who, and where -------------------------------------------------------------------------------


def test_a_flow_that_changes_hands_is_edited(world: World, told: str) -> None:
    """A late event tells of another owner; the edit calls nobody, the next note calls him."""
    late = world.clock() - timedelta(minutes=5)
    world.came(RUN.arn, RUN.failed_job(0, late, job_id="x", owner="aaron", status="RUNNING"))
    assert world.incident(told).owner == "aaron"
    assert world.alert(told).why == "details changed"
    world.update()
    assert ("message", "sent") in world.delivered()
    assert "aaron" in str(world.messages()[0].blocks)


def test_an_incident_that_was_replayed_is_told_when_its_run_fails_again(world: World) -> None:
    """What is old is not told; what happens now is."""
    incident = world.happened(RUN, replayed=True)
    world.settle()
    assert (world.delivered(), world.alert(incident).reason) == ([], "replayed")
    world.happened(RUN)
    world.settle()
    assert ("message", "sent") in world.delivered()


def test_what_was_over_before_it_was_due_is_told_when_it_fails_again(world: World) -> None:
    """Even if the events of the second failure come late, after it was withheld."""
    incident = world.happened(RUN)
    world.wait(seconds=20)
    failed_again_at = world.clock() + timedelta(seconds=5)
    world.happened(RUN, "SUCCEEDED")
    world.settle()
    assert world.deliver() == ["withheld"]
    world.came(RUN.arn, *RUN.ended(failed_again_at, "FAILED"))
    world.settle()
    assert ("message", "sent") in world.delivered()
    assert world.alert(incident).state == "sent"


@pytest.mark.parametrize(("status", "note"), [("FAILED", "again"), ("SUCCEEDED", "resolved")])
def test_what_happens_while_it_is_not_known_whether_the_message_arrived_is_noted(
    world: World, status: str, note: str
) -> None:
    """It is found with what it said at first, and an edit alone rings no bell."""
    incident = world.happened(RUN)
    world.settle()
    world.inbox.fail(Fault(method="chat.postMessage", cut=True, commit=True))
    assert world.deliver() == ["ambiguous"]
    world.wait(minutes=1)
    world.happened(RUN, status)
    world.settle()
    world.until_quiet()
    assert [part.partition("/")[0] for part in world.parts(incident)].count(note) == 1
    assert len(world.messages()) == 1
