"""The recount itself, on a story small enough to be counted by hand."""

from datetime import timedelta

import pytest

from ops_platform.domain.events import JobEvent
from ops_platform.domain.prices import Price
from ops_platform.domain.rollups import METRICS, stored
from ops_platform_tests.build import (
    ACCOUNTS,
    NOON,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    an_instance_event,
    bodies,
)
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.recount import WAYS, Recount, Row

HOUR = timedelta(hours=1)
OF_THE_PLATFORM = {"event_lag_ms", "messages_rejected", "alerts_sent", "alerts_dead", "stale_jobs"}
# An attempt is STARTING after 2 s, RUNNING from 4.25 s to 9.5 s; the next begins after 10 s.
RETRIED = a_job_history("retried", exits=[1, 0], begin=20)


def _recount(*events: JobEvent) -> Recount:
    return Recount(
        bodies(events),
        accounts=ACCOUNTS,
        now=NOON + 2 * HOUR,
        prices=[Price("*", vcpu_hour=36, gib_hour=9)],
    )


def _row(recount: Recount, name: str, **where: str) -> Row:
    (row,) = recount.rows(name, begin=NOON, end=NOON + HOUR, where=where)
    return {key: value for key, value in row.items() if key != "hour"}


def test_every_metric_that_raw_events_tell_of_is_recounted() -> None:
    """With the very numbers that the metric shows."""
    assert set(METRICS) == set(WAYS) | OF_THE_PLATFORM
    assert {metric.name for metric in stored()} <= set(METRICS)
    for name in WAYS:
        assert tuple(_row(_recount(), name)) == METRICS[name].fields


@pytest.mark.parametrize(
    ("name", "where", "numbers"),
    [
        ("job_transitions", {"state": "RUNNABLE"}, {"count": 2}),
        ("job_transitions", {"state": "RUNNING"}, {"count": 2}),
        ("job_transitions", {"state": "SUCCEEDED"}, {"count": 1}),
        ("job_transitions", {"state": "FAILED"}, {"count": 0}),
        ("job_retries", {}, {"count": 1}),
        ("jobs_submitted", {"flow": "TrainFlow"}, {"count": 1}),
        ("oldest_runnable_ms", {}, {"last": 0, "max": 2000}),
        ("jobs_in_state", {"state": "RUNNING"}, {"last": 0, "max": 1}),
        ("vcpus_reserved", {}, {"last": 0, "max": 1}),
        ("vcpu_hours", {}, {"sum": 15 / 3600}),
        ("gib_hours", {}, {"sum": 60 / 3600}),
        ("cost_usd", {}, {"sum": 15 * (36 + 4 * 9) / 3600}),
        ("wasted_cost_usd", {}, {"sum": 7.5 * (36 + 4 * 9) / 3600}),
        ("job_wait_share", {}, {"share": pytest.approx(9 / 19.5)}),
        ("events_ingested", {"kind": "job"}, {"count": 7}),
    ],
)
def test_a_job_of_two_attempts_is_counted(
    name: str, where: dict[str, str], numbers: dict[str, float]
) -> None:
    """As anybody can who reads the comment above the story."""
    assert _row(_recount(*RETRIED), name, **where) == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("job_submitted_to_runnable_ms", [0]),
        ("attempt_runnable_to_starting_ms", [2000, 2000]),
        ("attempt_starting_to_running_ms", [2250, 2250]),
        ("attempt_running_ms", [5250, 5250]),
        ("attempt_ms", [7500, 7500]),
        ("job_running_ms", [5250]),
        ("job_ms", [19_500]),
        ("job_waiting_ms", [9000]),
    ],
)
def test_its_durations_are_told(name: str, values: list[float]) -> None:
    """To the millisecond where AWS tells it."""
    row = _row(_recount(*RETRIED), name)

    assert (row["count"], row["sum"], row["min"]) == (len(values), sum(values), values[0])


def test_percentiles_lie_between_neighbours() -> None:
    """In proportion: of 0, 10, 20 and 30 the 90th percentile is 27."""
    jobs = [
        a_job_event(id=f"{number}", job_id=f"{number}", time=after(number / 100))
        for number in range(4)
    ]
    row = _row(_recount(*jobs), "job_submitted_to_runnable_ms")

    assert [row[name] for name in ("min", "p50", "p90", "max")] == [0, 15, 27, 30]


def test_a_job_that_lasts_is_in_each_hour() -> None:
    """What has not ended counts as far as now."""
    recount = _recount(*RETRIED[:3])
    rows = recount.rows("vcpu_hours", begin=NOON, end=NOON + 3 * HOUR, by=["flow"])

    assert [row["sum"] for row in rows] == pytest.approx([1 - 22 / 3600, 1, 0])


def test_executions_and_instances_are_counted() -> None:
    """With what the names of machines and clusters tell."""
    recount = Recount(
        bodies(
            [
                an_execution_event(),
                a_failure(90),
                an_instance_event(),
                an_instance_event(id="gone", version=2, status="INACTIVE", time=after(60)),
            ]
        ),
        accounts=ACCOUNTS,
        now=NOON + HOUR,
    )

    assert _row(recount, "executions", status="FAILED", branch="prod") == {"count": 1}
    assert _row(recount, "execution_time_lost_ms", project="fraud") == {"sum": 90_000}
    assert _row(recount, "execution_success_rate") == {"share": 0}
    assert _row(recount, "instance_lifetime_ms")["p99"] == 60_000
    assert _row(recount, "instances_up", compute_environment="flows") == {"last": 0, "max": 1}
