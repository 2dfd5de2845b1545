"""Which flows, owners, queues and steps take the most: against what the hours say."""

from collections import Counter

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import HOUR, Hours
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.compute_metrics import compute_metrics
from ops_platform.operations.ingest_events import record_events
from ops_platform.operations.show_metrics import show_metric
from ops_platform.operations.top_flows import DIMENSIONS, METRIC_OF, Measure, Ranked, top
from ops_platform_tests.build import ACCOUNTS, NOON, after
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.ledger_world import POLICY
from ops_platform_tests.operations.failing_runs import Run

HOURS = Hours(NOON - HOUR, NOON + 2 * HOUR)


@pytest.fixture
def rolled(emptied_ledger: Ledger) -> Ledger:
    """Give a ledger with some runs, the last of them an hour later, all of it computed."""
    events = [
        *a_failing_run(),
        *a_job_history("again", exits=[1, 0], begin=3590),
        *Run("run-2", flow="OtherFlow", jobs=3).ended(after(200), "FAILED"),
    ]
    end = after(7200)
    record_events(emptied_ledger, events, accounts=ACCOUNTS, policy=POLICY, now=end)
    compute_metrics(emptied_ledger, HOURS, [Noun.JOBS], prices=DEFAULT_PRICES, now=end)
    return emptied_ledger


def test_a_ranking_is_what_the_hours_come_to(rolled: Ledger) -> None:
    """For everything that is ranked, by everything it is ranked by."""
    for ranked in Ranked:
        for measure, metric in METRIC_OF.items():
            by = DIMENSIONS[ranked]
            hours = show_metric(rolled, metric, begin=HOURS.begin, end=HOURS.end, by=by)
            summed: Counter[tuple[str, ...]] = Counter()
            for row in hours:
                summed[tuple(row[name] for name in by)] += row["sum" if "sum" in row else "count"]

            rows = top(rolled, ranked, measure, hours=HOURS)

            found = {tuple(row[name] for name in by): row[metric] for row in rows}
            assert found == pytest.approx({key: total for key, total in summed.items() if total})
            assert [row[metric] for row in rows] == sorted(found.values(), reverse=True)


def test_a_limit_leaves_the_shares_as_they_are(rolled: Ledger) -> None:
    """They are of the whole, not of what is shown."""
    all_of_them = top(rolled, Ranked.FLOWS, Measure.FAILURES, hours=HOURS)

    assert len(all_of_them) == 2
    assert top(rolled, Ranked.FLOWS, Measure.FAILURES, hours=HOURS, limit=1) == all_of_them[:1]
    assert all_of_them[0]["share"] < 1


def test_a_flow_has_all_the_measures(rolled: Ledger) -> None:
    """One that failed before it cost anything has a zero there."""
    (row,) = [
        row
        for row in top(rolled, Ranked.FLOWS, Measure.FAILURES, hours=HOURS)
        if row["flow"] == "OtherFlow"
    ]

    assert (row["account"], row["jobs_failed"], row["cost_usd"]) == ("staging", 3, 0)


def test_a_period_without_anything_has_no_ranking(rolled: Ledger) -> None:
    """No flow is shown that took nothing."""
    before = Hours(NOON - HOUR, NOON)

    assert top(rolled, Ranked.FLOWS, Measure.COST, hours=before) == []
