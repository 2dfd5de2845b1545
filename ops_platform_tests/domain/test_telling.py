"""When what was told has to be told anew: Alertmanager's rules, and random histories."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.incidents import Incident, Kind, State, Tally
from ops_platform.domain.telling import NOTED, Standing, Told, Why, needs_update, standing
from ops_platform_tests.build import NOON, after, an_incident

HOUR = timedelta(hours=1)
BROKEN = Standing(State.OPEN, since=NOON, failing="a", failures=2, shown="x")
MORE = msgspec.structs.replace(BROKEN, failing="ab", failures=3)
FEWER = msgspec.structs.replace(BROKEN, failing="b", failures=1)
OTHERS = msgspec.structs.replace(BROKEN, failing="c")
REWORDED = msgspec.structs.replace(BROKEN, shown="y")
AGAIN = msgspec.structs.replace(BROKEN, since=after(600))
WELL = msgspec.structs.replace(BROKEN, state=State.RESOLVED, resolved_at=after(60))
WELL_BY_ANOTHER = msgspec.structs.replace(WELL, resolved_at=after(50))


@pytest.mark.parametrize(
    ("told", "now_is", "hours", "why"),
    [
        # 1. Nothing was told yet.
        (None, BROKEN, 0, Why.FIRST),
        (None, WELL, 0, None),
        # 2. Something fails of which nothing was told.
        (BROKEN, MORE, 0, Why.NEW_FAILURES),
        (BROKEN, OTHERS, 0, Why.NEW_FAILURES),
        (WELL, BROKEN, 0, Why.FAILED_AGAIN),
        (BROKEN, AGAIN, 0, Why.FAILED_AGAIN),
        (WELL, AGAIN, 0, Why.FAILED_AGAIN),
        # 3. Nothing fails any more.
        (BROKEN, WELL, 0, Why.RESOLVED),
        (WELL, WELL, 0, None),
        # 4. Some of it does not fail any more.
        (BROKEN, FEWER, 0, Why.FEWER_FAILURES),
        # 5. Nothing has changed, for long.
        (BROKEN, BROKEN, 23.9, None),
        (BROKEN, BROKEN, 24, Why.REMINDER),
        (WELL, WELL, 99, None),
        # What Alertmanager has no word for: the same failures told differently.
        (BROKEN, REWORDED, 0, Why.DETAILS),
        (BROKEN, REWORDED, 99, Why.DETAILS),
        (WELL, WELL_BY_ANOTHER, 0, Why.DETAILS),
    ],
)
def test_each_of_alertmanagers_rules_has_its_reason(
    told: Standing | None, now_is: Standing, hours: float, why: Why | None
) -> None:
    """A row for each; a shrinking set is told too, since an edit rings no bell."""
    before = None if told is None else Told(told, mentioned_at=NOON, digest="words")

    assert needs_update(before, now_is, now=NOON + HOUR * hours, repeat=24 * HOUR) is why


def test_without_a_repeat_interval_nobody_is_reminded() -> None:
    """Staging has none."""
    told = Told(BROKEN, mentioned_at=NOON, digest="words")
    assert needs_update(told, BROKEN, now=NOON + 999 * HOUR) is None


# --- random histories -----------------------------------------------------------------------------

STEPS = st.dictionaries(
    st.sampled_from(["start", "train"]),
    st.builds(Tally, failed=st.integers(0, 2), collateral=st.integers(0, 2)),
    max_size=2,
)
MOMENTS = st.integers(0, 3).map(lambda minutes: after(60 * minutes))
INCIDENTS = st.builds(
    an_incident,
    state=st.sampled_from(State),
    kind=st.sampled_from([Kind.RUN_FAILED, Kind.RUN_TIMED_OUT]),
    opened_at=MOMENTS,
    failed_jobs=st.integers(0, 2),
    failing=st.sampled_from(["", "a", "b", "ab"]),
    steps=STEPS,
    owner=st.sampled_from([None, "ada", "grace"]),
    reason=st.sampled_from(["user exception", "out of memory"]),
    log_stream=st.sampled_from([None, "a/log"]),
    resolved_at=st.none() | MOMENTS,
    resolved_by=st.sampled_from([None, "run sfn-2 succeeded"]),
)
HISTORIES = st.lists(st.tuples(INCIDENTS, st.sampled_from([0.0, 1.0, 25.0])), max_size=12)


@given(HISTORIES)
def test_nothing_is_told_twice_and_no_change_is_missed(
    history: Sequence[tuple[Incident, float]],
) -> None:
    """What was told last is always what there is to tell, unless it was over before it was told."""
    told: Told | None = None
    now = NOON
    for incident, hours in history:
        now += HOUR * hours
        now_is = standing(incident)
        why = needs_update(told, now_is, now=now, repeat=24 * HOUR)
        if told is None:
            assert (why is Why.FIRST) == (incident.state is State.OPEN)
        elif why is Why.REMINDER:
            assert told.standing == now_is
            assert now - told.mentioned_at >= 24 * HOUR
        else:
            assert (why is None) == (told.standing == now_is)
        if why is not None:
            rings = why in NOTED or told is None
            told = Told(now_is, now if rings or told is None else told.mentioned_at, digest="")
        # An edit calls nobody, so that a reminder may still be due.
        assert needs_update(told, now_is, now=now, repeat=24 * HOUR) in {None, Why.REMINDER}
        assert needs_update(told, now_is, now=now) is None
        assert told is None or told.standing == now_is


@given(INCIDENTS, INCIDENTS)
def test_a_change_of_state_is_never_told_as_less(was: Incident, now_is: Incident) -> None:
    """That it is over, or broken again, is what somebody has to hear."""
    why = needs_update(Told(standing(was), NOON, ""), standing(now_is), now=NOON)
    if (was.state, now_is.state) == (State.OPEN, State.RESOLVED):
        assert why is Why.RESOLVED
    if (was.state, now_is.state) == (State.RESOLVED, State.OPEN):
        assert why is Why.FAILED_AGAIN


SHOWN = ("flow", "owner", "project", "branch", "reason", "error", "step", "job_id", "log_stream")


@pytest.mark.parametrize("name", SHOWN)
def test_whatever_the_message_shows_is_a_change_to_tell(name: str) -> None:
    """One for each field of an incident that comes late, or is corrected."""
    told = Told(standing(an_incident()), NOON, "")
    changed = standing(an_incident(**{name: "another"}))
    assert needs_update(told, changed, now=NOON) is Why.DETAILS
