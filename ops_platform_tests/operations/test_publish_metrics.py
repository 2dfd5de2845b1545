"""The metrics of hours that are over arrive in CloudWatch, each value once."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.rollups import spread_values
from ops_platform.adapters.ledger.rollups.marks import mark
from ops_platform.domain.cloudwatch_ports import Receipt, Took
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Age, Count, Level, Metric, Noun, Ratio, Spread
from ops_platform.domain.metric_data import Datum
from ops_platform.domain.published_metrics import CHOICES, Cut, cuts
from ops_platform.domain.rollups import metric_of
from ops_platform.operations.show_metrics import show_metric
from ops_platform_tests.build import NOON, a_job_event, after
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.fake_cloudwatch import FakeCloudWatch
from ops_platform_tests.operations.publishing_world import FOUR, HOURS, Publishing


def _shown(ledger: Ledger, cut: Cut) -> dict[Any, dict[str, Any]]:
    """Return a metric's rows as the platform shows them, by the hour and the dimensions."""
    rows = show_metric(ledger, cut.metric.name, begin=HOURS.begin, end=HOURS.end, by=cut.dimensions)
    return {
        (row["hour"], frozenset((name, row[name] or "unknown") for name in cut.dimensions)): row
        for row in rows
    }


def _sent(world: Publishing, cut: Cut) -> dict[Any, dict[float, float]]:
    return {
        (hour, frozenset(told)): samples
        for (_, (name, told), hour), samples in world.cloudwatch.samples.items()
        if name == cut.metric.name and [each for each, _ in told] == list(cut.dimensions)
    }


def _nothing(metric: Metric, row: dict[str, Any]) -> bool:
    return not any(row[name] for name in metric.fields)


def _is_same(metric: Metric, row: dict[str, Any], samples: dict[float, float]) -> bool:
    total = sum(value * times for value, times in samples.items())
    match metric.how:
        case Count():
            return samples == {row["count"]: 1}
        case Level() | Age():
            return (min(samples), max(samples)) == (row["last"], row["max"])
        case Ratio():
            return samples == {row["share"]: 1}
        case Spread():
            found = (sum(samples.values()), total, min(samples), max(samples))
            return found == tuple(row[name] for name in ("count", "sum", "min", "max"))
        case _:
            return samples == {row["sum"]: 1}


def test_what_arrives_is_what_the_platform_shows(ledger: Ledger) -> None:
    """Of each cut, each hour and each group; only the zeros of groups are left out."""
    world = Publishing(ledger)
    world.happen()

    world.publish(dimensions=CHOICES)

    for cut in cuts(CHOICES):
        sent, shown = _sent(world, cut), _shown(ledger, cut)
        assert sent.keys() <= shown.keys()
        for key, row in shown.items():
            if key in sent:
                assert _is_same(cut.metric, row, sent[key]), (cut, key)
            else:
                assert _nothing(cut.metric, row), (cut, key)
    assert world.cloudwatch.count("job_transitions", account="production", state="RUNNING")[NOON]


def test_an_account_in_which_nothing_happened_has_its_zeros(ledger: Ledger) -> None:
    """So that nothing is told from no answer."""
    world = Publishing(ledger)
    world.happen()

    world.publish()

    found = world.cloudwatch.count("job_transitions", account="production", state="RUNNING")
    assert found[NOON + HOUR] == {0: 1}


def test_a_second_run_sends_nothing_again(ledger: Ledger) -> None:
    """Whatever else it does."""
    world = Publishing(ledger)
    world.happen()
    first = world.publish()
    assert first.sent.data == sum(map(len, world.cloudwatch.requests)) > 0

    again = world.publish()

    assert (again.planned, again.sent.requests) == ([], 0)
    keys = Counter(
        (datum.key, datum.hour, datum.values)
        for each in world.cloudwatch.requests
        for datum in each
    )
    assert set(keys.values()) == {1}


def test_only_hours_that_have_settled_are_sent(ledger: Ledger) -> None:
    """An hour after their end; the rest follows later."""
    world = Publishing(ledger)
    world.happen()

    done = world.publish()

    assert {each.hour for each in done.planned} == set(HOURS)
    world.later(HOUR)
    world.compute()
    assert {each.hour for each in world.publish().planned} == {NOON + 3 * HOUR}


def test_an_hour_that_waits_to_be_computed_anew_is_not_sent(ledger: Ledger) -> None:
    """Else it would change after it was sent; other nouns do not wait for it."""
    world = Publishing(ledger)
    world.happen()
    with ledger.transaction() as tx:
        mark(tx, [(Noun.JOBS, Hours(NOON, NOON + HOUR))], FOUR)

    due = {(each.noun, each.hour) for each in world.publish().planned}

    assert ("jobs", NOON) not in due
    assert {("jobs", NOON + HOUR), ("executions", NOON)} <= due


def test_two_runs_at_once_send_each_value_once(ledger: Ledger) -> None:
    """As when one is started by hand."""
    world = Publishing(ledger)
    world.happen()

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: world.publish(), range(4)))

    hours = Counter((each.noun, each.hour) for run in done for each in run.planned)
    assert set(hours.values()) == {1}
    assert sum(run.sent.requests for run in done) == len(world.cloudwatch.requests)
    sent = Counter((datum.key, datum.hour) for each in world.cloudwatch.requests for datum in each)
    assert set(sent.values()) == {1}


def test_an_hour_that_changes_after_it_was_sent_is_counted_and_not_sent_again(
    ledger: Ledger,
) -> None:
    """CloudWatch cannot take back; the platform's own rows are right."""
    world = Publishing(ledger)
    world.happen()
    world.publish()
    before = len(world.cloudwatch.requests)

    world.later(timedelta(minutes=1))
    world.happen(a_job_history("late", exits=[0], begin=100))
    done = world.publish()

    assert ("jobs", NOON) in done.changed
    assert ("jobs", NOON + HOUR) not in done.changed
    assert len(world.cloudwatch.requests) == before


def test_an_hour_computed_anew_that_came_out_the_same_has_not_changed(ledger: Ledger) -> None:
    """A backfill is no change."""
    world = Publishing(ledger)
    world.happen()
    world.publish()

    world.later(timedelta(minutes=1))
    world.compute()

    assert world.publish().changed == []


def test_a_choice_of_other_dimensions_is_no_change_of_the_hours(ledger: Ledger) -> None:
    """What is added is sent from the next hour on."""
    world = Publishing(ledger)
    world.happen()
    world.publish()

    world.later(timedelta(minutes=1))
    world.compute()
    done = world.publish(dimensions=("account", "owner"))

    assert (done.changed, done.sent.requests) == ([], 0)


def test_what_is_too_old_for_cloudwatch_is_not_sent(ledger: Ledger) -> None:
    """It takes nothing of two weeks ago, and forgets nothing else for it."""
    world = Publishing(ledger)
    world.happen()
    world.later(timedelta(days=13, hours=1))

    done = world.publish()

    assert [each.hour for each in done.planned if each.hour == NOON] == []
    assert done.sent.trouble == []


def test_a_namespace_of_its_own_is_published_to_from_the_beginning(ledger: Ledger) -> None:
    """What another was sent is another's."""
    world = Publishing(ledger)
    world.happen()
    world.publish()

    other = Publishing(ledger)

    assert other.publish().planned == []


def test_an_hour_of_very_many_values_tells_them_to_three_digits(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many there are stays exact."""
    world = Publishing(ledger)
    world.happen(
        [
            a_job_event(
                id=f"{number}-{status}",
                job_id=str(number),
                status=status,
                created_at=NOON,
                time=after(12.345 * number + 1),
            )
            for number in range(40)
            for status in ("RUNNABLE", "STARTING")
        ]
    )
    cut = Cut(metric_of("job_submitted_to_starting_ms"), ("account",))
    [row] = [each for each in _shown(ledger, cut).values() if each["count"]]
    monkeypatch.setattr(spread_values, "EXACT", 39)
    with ledger.transaction() as tx:
        found = spread_values.values(
            tx, cut.metric.name, cut.dimensions, begin=HOURS.begin, end=HOURS.end
        )

    assert sum(each["times"] for each in found) == row["count"] == 40
    assert all(len(str(int(each["value"])).rstrip("0")) <= 3 for each in found)
    total = sum(each["value"] * each["times"] for each in found)
    assert total == pytest.approx(row["sum"], rel=0.005)


def test_a_refused_request_is_told_and_sent_the_next_time(ledger: Ledger) -> None:
    """Nothing of it was taken; what was not tried waits as well."""
    world = Publishing(ledger, outcomes=[Took.REFUSED] * 3)
    world.happen()

    done = world.publish()
    assert len(done.sent.trouble) == 3
    assert world.cloudwatch.requests == []

    assert world.publish().sent.trouble == []
    assert len(world.cloudwatch.requests) == len(done.planned)


def test_what_is_refused_for_ever_holds_back_none_that_is_newer(ledger: Ledger) -> None:
    """Here the requests of the hour that has an event: its flow has too long a name, say."""
    world = Publishing(ledger)
    world.happen()
    world.publish(_Refusing(world.cloudwatch, NOON))
    world.later(HOUR)
    world.compute()
    world.publish(_Refusing(world.cloudwatch, NOON))

    hours = {datum.hour for each in world.cloudwatch.requests for datum in each}
    assert hours == {NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR}


@dataclass(frozen=True, slots=True)
class _Refusing:
    """A CloudWatch that refuses one hour."""

    behind: FakeCloudWatch
    hour: datetime

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Refuse it, and take the others."""
        if data[0].hour == self.hour:
            return Receipt(Took.REFUSED, "no")
        return self.behind.send(namespace, data)

    def has(self, namespace: str, datum: Datum) -> bool:
        """Look into the CloudWatch behind."""
        return self.behind.has(namespace, datum)
