"""A run that is killed while it sends, or whose answer is lost, sends nothing twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from itertools import count

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.cloudwatch_ports import Took
from ops_platform.domain.hours import DAY, HOUR
from ops_platform.domain.metric import Noun
from ops_platform.domain.published_metrics import cuts
from ops_platform.operations.plan_metric_data import planned
from ops_platform_tests.operations.publishing_world import (
    CHOSEN,
    HOURS,
    KilledError,
    Killing,
    Mute,
    Publishing,
    Stepping,
    SteppingLedger,
    Steps,
)

_SHOWN = timedelta(minutes=31)


def _is_once(world: Publishing) -> bool:
    sent = Counter(
        (datum.key, datum.hour, datum.values)
        for request in world.cloudwatch.requests
        for datum in request
    )
    return set(sent.values()) == {1}


def _is_whole(world: Publishing) -> bool:
    """Tell whether all that was due at first has arrived."""
    due = planned(world.ledger, cuts(CHOSEN), HOURS)
    sent = {(datum.key, datum.hour) for each in world.cloudwatch.requests for datum in each}
    return {(datum.key, datum.hour) for each in due.values() for datum in each} <= sent


def _killed(world: Publishing, *, arrives: bool) -> None:
    with pytest.raises(KilledError):
        world.publish(Killing(world.cloudwatch, arrives=arrives))


@pytest.mark.parametrize("arrives", [True, False])
def test_a_request_at_which_the_run_was_killed_is_sent_once(
    ledger: Ledger, *, arrives: bool
) -> None:
    """Whether it arrived cannot be told at once; the others do not wait for it."""
    world = Publishing(ledger)
    world.happen()
    _killed(world, arrives=arrives)

    at_once = world.publish().sent
    assert (at_once.unclear, at_once.arrived) == (1, 0)
    assert at_once.requests > 0

    world.later(4 * HOUR)
    later = world.publish().sent
    assert (later.unclear, later.arrived) == (0, arrives)
    assert _is_once(world)
    assert _is_whole(world)


@pytest.mark.parametrize(("lost", "again"), [(True, 1), (False, 0)])
def test_an_answer_that_is_lost_is_found_in_cloudwatch(
    ledger: Ledger, *, lost: bool, again: int
) -> None:
    """After one, no more is sent: whoever does not answer is not asked on."""
    world = Publishing(ledger, outcomes=[Took.UNCLEAR], lost=lost)
    world.happen()

    first = world.publish().sent
    assert (first.requests, first.unclear, len(first.trouble)) == (0, 1, 1)

    world.later(4 * HOUR)
    second = world.publish().sent
    assert second.arrived == 1 - again
    assert _is_once(world)
    assert _is_whole(world)


def test_a_run_that_was_killed_again_and_again_has_sent_each_value_once(ledger: Ledger) -> None:
    """At each request, before and after it arrived in turn."""
    world = Publishing(ledger)
    world.happen()
    for number in range(12):
        world.later(4 * HOUR)
        try:
            world.publish(Killing(world.cloudwatch, arrives=number % 2 == 0))
        except KilledError:
            continue

    world.later(4 * DAY)  # when all can be told
    world.publish()

    assert _is_once(world)
    assert _is_whole(world)


@pytest.mark.slow
def test_a_run_killed_at_any_step_has_lost_nothing_and_sends_nothing_twice(
    ledger: Ledger, ledger_url: str
) -> None:
    """Before and after each commit, each request and each answer."""
    Publishing(ledger, nouns=[Noun.JOBS]).happen()
    for step in count(1):
        world, steps = Publishing(ledger), Steps(kill_at=step)
        world.forget()
        stepping = SteppingLedger(ledger_url, steps)
        with suppress(KilledError), closing(stepping):
            world.publish(Stepping(world.cloudwatch, steps), ledger=stepping)

        world.later(8 * HOUR)
        world.publish()

        assert _is_once(world), step
        assert _is_whole(world), step
        if steps.done < step:
            break
    assert step > 20


@pytest.mark.parametrize(
    ("age", "too_soon", "shown"),
    [
        (timedelta(), timedelta(minutes=29), timedelta(minutes=31)),
        (8 * HOUR, 2 * HOUR + timedelta(minutes=59), 3 * HOUR + timedelta(minutes=1)),
        (2 * DAY, 71 * HOUR, 73 * HOUR),
    ],
)
def test_cloudwatch_is_asked_only_when_it_has_had_time_to_show_it(
    ledger: Ledger, age: timedelta, too_soon: timedelta, shown: timedelta
) -> None:
    """Which takes it the longer, the older what it took is; asked sooner it would say no."""
    world = Publishing(ledger)
    world.now -= HOUR + timedelta(minutes=30)
    world.happen()
    world.later(age)
    _killed(world, arrives=True)

    world.later(too_soon)
    assert world.publish().sent.unclear == 1

    world.later(shown - too_soon)
    found = world.publish().sent
    assert (found.unclear, found.arrived) == (0, 1)


def test_what_stays_unclear_until_cloudwatch_takes_it_no_more_is_given_up(ledger: Ledger) -> None:
    """And told."""
    world = Publishing(ledger)
    world.happen()
    _killed(world, arrives=False)

    world.later(timedelta(days=13, hours=22))

    assert world.publish().sent.expired > 0
    assert world.publish().sent.expired == 0


def test_of_runs_that_find_out_together_one_sends(ledger: Ledger) -> None:
    """That a request did not arrive."""
    world = Publishing(ledger)
    world.happen()
    _killed(world, arrives=False)
    world.later(4 * HOUR)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: world.publish(), range(4)))

    assert _is_once(world)
    assert _is_whole(world)


def test_where_cloudwatch_may_not_be_asked_only_what_is_unclear_waits(ledger: Ledger) -> None:
    """And it is told why."""
    world = Publishing(ledger)
    world.happen()
    _killed(world, arrives=False)
    world.later(4 * HOUR)

    mute = Mute(clock=lambda: world.now)
    sent = world.publish(mute).sent

    assert (sent.unclear, len(sent.trouble)) == (1, 1)
    assert "Could not see whether OpsPlatform has" in sent.trouble[0]
    assert sent.requests == len(mute.requests) > 0
