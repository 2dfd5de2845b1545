"""Random histories of a run and its sender: Slack shows what is so, and nothing twice."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.alerts import MESSAGE
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.incidents import State
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.rates import Rates, per_minute
from ops_platform.operations.compose_alert import gather
from ops_platform.operations.due_alert import with_surroundings
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.sender_room import key_of
from ops_platform_tests.operations.stale_runs import cancelled, judged

RUN = Run("run", jobs=2)
PATIENT = Rates(post=per_minute(6000), posts_together=per_minute(6000))
_numbers = count(100)


def fails(world: World) -> None:
    """The run fails, for the first time or after a redrive."""
    world.happened(RUN)


def cannot_start(world: World) -> None:
    """A job of the run is cancelled as stale, and judged so by us or by a ledger that is lost."""
    number, now = next(_numbers), world.clock()
    job_id = f"stale-{number}"
    if number % 2:
        with world.ledger.transaction() as tx:
            found = judged(RUN, now, job_id=job_id)
            assert cancellations.ask(tx, found, now=now, asked_by="schedule")
    world.came(RUN.arn, *cancelled(RUN, now, job_id=job_id))


def succeeds(world: World) -> None:
    """The run was redriven to success."""
    world.happened(RUN, "SUCCEEDED")


def another_succeeds(world: World) -> None:
    """A later run of the same machine succeeds."""
    world.wait(minutes=11)
    world.happened(Run(f"run-{next(_numbers)}"), "SUCCEEDED")


def late_failure(world: World) -> None:
    """A job is heard of that had failed before."""
    world.came(RUN.arn, RUN.failed_job(next(_numbers), world.clock().replace(hour=11)))


def answer_lost(world: World) -> None:
    """The answer to the next post or edit does not arrive."""
    for method in ("chat.postMessage", "chat.update"):
        world.inbox.fail(Fault(method=method, cut=True, commit=True))


def delivers(world: World) -> None:
    """The sender is at work."""
    world.deliver()


def time_passes(world: World) -> None:
    """So long that whatever waits is due."""
    world.wait(minutes=2)


STEPS = [
    fails,
    cannot_start,
    succeeds,
    another_succeeds,
    late_failure,
    answer_lost,
    delivers,
    time_passes,
]


@given(st.lists(st.sampled_from(STEPS), max_size=14))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_in_the_end_slack_shows_what_is_so_and_nothing_was_said_twice(
    ledger: Ledger, steps: Sequence[Callable[[World], None]]
) -> None:
    """However the run, the answers of Slack and the sender come between each other."""
    empty(ledger)
    with world_around(ledger, rates=PATIENT) as world:
        fails(world)
        for step in steps:
            world.wait(seconds=7)
            step(world)
        world.until_quiet(rounds=60, seconds=60)
        incident = world.alerts()[0].incident_id
        _assert_true(world, incident)
        copies = Counter(map(key_of, world.inbox.messages()))
        assert set(copies.values()) <= {1}
        for message in world.inbox.messages():
            for was, now_is in pairwise(world.inbox.versions(message)):
                # One whose answer was lost is edited again, to be sure.
                same = (was.text, was.blocks) == (now_is.text, now_is.blocks)
                assert not same or answer_lost in steps
        calls = len(world.inbox.calls())
        world.wait(minutes=30)
        assert (world.deliver(), len(world.inbox.calls())) == ([], calls)


def _assert_true(world: World, incident: str) -> None:
    """Check that the message says what would be said now, if there is one."""
    alert = world.alert(incident)
    if alert.message_ts is None:
        assert world.incident(incident).state is State.RESOLVED
        return
    with world.ledger.transaction() as tx:
        material = gather(tx, *with_surroundings(tx, alert))
    says = world.sender().composer.compose(material, now=world.clock()).message
    (message,) = (one for one in world.messages() if key_of(one).endswith(MESSAGE))
    assert (message.text, message.blocks) == (says.text, list(says.blocks))
