"""Whenever runs start, and whichever events of them are lost: what is missed is told once."""

from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.schedules import EARLY
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.schedule_world import (
    GRACE,
    HOUR,
    MINUTE,
    MONDAY,
    ScheduleWorld,
    a_rule,
)

HOURS = 4
END, NEVER = MONDAY + HOURS * HOUR, MONDAY + 99 * HOUR
LOOK_EACH = 15 * MINUTE


@given(
    runs=st.lists(
        st.tuples(st.integers(1, HOURS * 60 - 1).map(lambda n: MONDAY + n * MINUTE), st.booleans()),
        max_size=6,
        unique_by=lambda run: run[0],
    )
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_start_that_was_missed_is_told_and_no_other(
    emptied_ledger: Ledger, runs: list[tuple[datetime, bool]]
) -> None:
    """A flow due each hour, looked at each quarter of an hour; half of the events do not come."""
    empty(emptied_ledger)
    world = ScheduleWorld(emptied_ledger, a_rule("cron(0 * * * ? *)"))
    world.start("before", MONDAY - EARLY)
    now = MONDAY
    while now <= END:
        for at, told in sorted(run for run in runs if now - LOOK_EACH < run[0] <= now):
            world.start(f"run-{at:%H%M}", at, tell=told)
        world.wait_until(now)
        now += LOOK_EACH
    starts = [at for at, _ in runs]

    opened = {row["opened_at"]: row["state"] for row in world.incidents}
    for expected, state in opened.items():
        made_up_for = _first(starts, expected - EARLY)
        assert made_up_for > expected + GRACE
        assert state == ("open" if made_up_for == NEVER else "resolved")
    for due in (MONDAY + hour * HOUR for hour in range(1, HOURS)):
        if _first(starts, due - EARLY) > due + GRACE + LOOK_EACH:
            last = max(expected for expected in opened if expected <= due)
            assert _first(starts, last - EARLY) > due + GRACE


def _first(starts: list[datetime], since: datetime) -> datetime:
    return min((at for at in starts if at >= since), default=NEVER)
