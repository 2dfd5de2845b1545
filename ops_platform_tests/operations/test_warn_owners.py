"""The owner of a job that does not start hears of it before it is cancelled, if that is wanted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.cancellations import Cancellation
from ops_platform.domain.events import Attempt
from ops_platform.domain.incidents import Incident, State
from ops_platform.domain.stale_incidents import stuck_incident_id
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Judged, Why
from ops_platform.operations.tell_stale_jobs import settle_warnings, warn_owners
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.stale_runs import (
    ADVICE,
    SENTENCE,
    cancelled,
    judged,
    waiting_job,
    warning,
)

RUN = Run("run", jobs=0)
JOB = "stale-run"


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty Slack, and a ledger that knows of a run whose job waits."""
    with world_around(emptied_ledger) as made:
        made.came(RUN.arn, waiting_job(RUN, made.clock()))
        yield made


def warn(world: World, *found: Judged) -> list[Incident]:
    """Warn of what a cleaning found, and deliver it."""
    changed = warn_owners(world.ledger, "staging", found, policy=world.policy, now=world.clock())
    world.until_quiet()
    return changed


def settle(world: World, *waiting: str, **more: Any) -> list[Incident]:
    """Resolve a while later what is over, and deliver it."""
    world.wait(minutes=5)
    settled = settle_warnings(
        world.ledger, "staging", waiting, policy=world.policy, now=world.clock(), **more
    )
    world.until_quiet()
    return settled


def soon(world: World, run: Run = RUN) -> Judged:
    """Return the judgement that the run's job is cancelled in five minutes."""
    return warning(run, world.clock(), due=world.clock() + timedelta(minutes=5))


def records(world: World) -> list[Cancellation]:
    """Return what was recorded of the job."""
    with world.ledger.transaction() as tx:
        return cancellations.of_job(tx, "staging", JOB)


def started(world: World, at: datetime) -> None:
    """Let the job start."""
    world.came(RUN.arn, waiting_job(RUN, at, id="starts", status="STARTING", time=at))


def test_the_owner_hears_why_what_to_change_and_when(world: World) -> None:
    """Once, however often it is looked at; and that he was told is recorded."""
    (incident,) = warn(world, soon(world))
    for _ in range(3):
        assert warn(world, soon(world)) == []

    (message,) = world.messages()
    assert message.pings == ("U0ADA00001",)
    assert "A job of TrainFlow does not start in staging, step `work`: " in message.text
    text = str(message.blocks)
    for part in (SENTENCE, ADVICE, "It is cancelled at 2026-03-02 12:05 UTC", "policy `rule 1`"):
        assert part in text
    assert "wanted 999, found at most 4 (r5.xlarge)" in text
    assert incident.opened_at == world.clock()
    (row,) = records(world)
    assert (row.verdict, row.outcome, row.asked_by) == ("warn", "warned", "schedule")
    assert row.diagnosis == SENTENCE


def test_nobody_is_told_whose_policy_does_not_want_it(world: World) -> None:
    """Nor of a job that is cancelled now, of which the run's failure will tell."""
    unwanted = replace(soon(world), policy=Policy())

    assert warn(world, unwanted, judged(RUN, world.clock())) == []
    assert (world.messages(), records(world)) == ([], [])


def test_a_job_that_merely_waits_its_turn_is_said_to_be_left_alone(world: World) -> None:
    """Until that changes."""
    warn(world, warning(RUN, world.clock(), why=Why.WAITS_ITS_TURN))
    (message,) = world.messages()
    assert "It waits its turn, and is not cancelled for that." in str(message.blocks)

    world.wait(minutes=10)
    warn(world, soon(world))

    (message,) = world.messages()
    assert "It is cancelled at 2026-03-02 12:1" in str(message.blocks)
    assert world.edits() == 1


def test_a_job_that_starts_ends_its_warning(world: World) -> None:
    """In the thread, which calls nobody."""
    (incident,) = warn(world, soon(world))
    assert settle(world, JOB) == []
    started(world, world.clock())

    (over,) = settle(world)

    assert (over.id, over.state) == (incident.id, State.RESOLVED)
    (note,) = world.thread()
    assert note.text == "🟢 TrainFlow recovered in staging after 10 min: the job started."
    assert note.pings == ()
    assert settle(world) == []


def test_a_job_that_is_cancelled_ends_its_warning_and_its_run_is_told(world: World) -> None:
    """In a message of its own; the warning has not been for nothing, and nothing has recovered."""
    warn(world, soon(world))
    world.wait(minutes=5)
    with world.ledger.transaction() as tx:
        now = world.clock()
        assert cancellations.ask(tx, judged(RUN, now), now=now, asked_by="schedule")
    world.came(RUN.arn, *cancelled(RUN, now))

    (over,) = settle(world)

    assert over.resolved_by == "the job was cancelled as stale"
    told, failed = world.messages()
    assert told.text == (
        "The warning about TrainFlow in staging is over after 10 min:"
        " the job was cancelled as stale."
    )
    assert failed.text.startswith("<@U0ADA00001> TrainFlow failed in staging: a job could not")
    assert [note.text[0] for note in world.inbox.replies(told)] == ["⚪"]
    assert [row.verdict for row in records(world)] == ["warn", "cancel"]


def test_a_job_that_waits_again_in_another_attempt_is_told_again(world: World) -> None:
    """It is another wait; the same warning is opened again."""
    warn(world, soon(world))
    started(world, world.clock())
    settle(world)
    world.wait(minutes=30)
    at = world.clock()
    ended = (Attempt(started_at=at - timedelta(minutes=20), stopped_at=at, exit_code=1),)
    world.came(RUN.arn, waiting_job(RUN, at, id="again", time=at, attempts=ended))
    before = soon(world)
    anew = replace(before, verdict=replace(before.verdict, since=at + timedelta(seconds=1)))

    (incident,) = warn(world, anew)

    assert (incident.id, incident.state) == (stuck_incident_id(before), State.OPEN)
    assert "does not start in staging again" in world.thread()[-1].text


def test_who_warns_late_of_a_job_that_has_started_says_nothing(world: World) -> None:
    """What Batch listed may be minutes old."""
    late = soon(world)
    started(world, world.clock())

    assert warn(world, late) == []
    assert world.messages() == []


def test_of_a_job_that_the_ledger_does_not_know_what_batch_lists_counts(world: World) -> None:
    """It has no events, as in an account whose events do not arrive."""
    unknown = Run("unknown", jobs=0)
    warn(world, soon(world, unknown))

    assert settle(world, "stale-unknown") == []
    (over,) = settle(world)
    assert over.resolved_by == "the job does not wait any more"


def test_an_exemption_that_was_made_meanwhile_ends_the_warning(world: World) -> None:
    """Its threat is not true any more."""
    warn(world, soon(world))

    (over,) = settle(world, JOB, exempt=[JOB])

    assert over.resolved_by == "the job is exempt now"


def test_an_operators_word_is_not_contradicted(world: World) -> None:
    """Until something else is the matter with the run."""
    (incident,) = warn(world, soon(world))
    world.resolved_by_hand(incident.id)

    assert warn(world, soon(world)) == []
    world.wait(minutes=5)
    (other,) = warn(world, soon(world))
    assert other.state is State.OPEN


def test_many_warnings_of_a_flow_are_one_message_and_no_failure_joins_them(world: World) -> None:
    """What has failed must be told as that."""
    world.configure(bursts=(BurstRule(By.FLOW, 5, timedelta(minutes=5)),))
    warn(world, *(soon(world, Run(f"run-{number}", jobs=0)) for number in range(6)))
    world.failed_run("failed")
    world.settle()
    world.until_quiet()

    warned, failed = world.messages()
    assert "6 runs of TrainFlow wait for jobs that do not start in staging" in warned.text
    assert "TrainFlow failed in staging" in failed.text


def test_a_warning_names_its_runs_execution(world: World) -> None:
    """So that routes by project take it as they take the failure."""
    world.came(RUN.arn, RUN.execution(world.clock(), "RUNNING"))

    (incident,) = warn(world, soon(world))

    assert incident.execution_arn == RUN.arn
    assert incident.machine_arn is None


def test_two_that_warn_at_once_warn_once(world: World) -> None:
    """And record it once."""
    found = [soon(world)]

    def tell(_: int) -> list[Incident]:
        return warn_owners(world.ledger, "staging", found, policy=world.policy, now=world.clock())

    with ThreadPoolExecutor(4) as pool:
        assert sum(map(len, pool.map(tell, range(4)))) == 1

    assert len(records(world)) == 1
