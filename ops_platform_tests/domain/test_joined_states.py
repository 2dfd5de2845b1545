"""Two states of one subject, joined, are the state that all their events add up to."""

import random
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.events import Event
from ops_platform.domain.joined_states import join_executions, join_instances, join_jobs
from ops_platform.domain.lifecycle import advance_execution, advance_instance, advance_job
from ops_platform_tests.build import (
    ACCOUNT,
    a_failure,
    a_job_event,
    after,
    an_execution_event,
    an_instance_event,
)
from ops_platform_tests.build_runs import a_job_history

_REDRIVE = {"redriven_at": after(70.5), "time": after(71)}
_END = {"status": "SUCCEEDED", "stopped_at": after(90.25), "time": after(90)}
JOB = [
    *a_job_history("job", exits=[1, 0, 1], begin=0),
    a_job_event(id="submitted", job_id="job", status="SUBMITTED"),
    a_job_event(id="pending", job_id="job", status="PENDING", time=after(1)),
    a_job_event(id="blocked", job_id="job", blocked=True, time=after(40)),
]
EXECUTION = [
    an_execution_event(),
    a_failure(60),
    an_execution_event(id="redriven", metaflow_input=False, **_REDRIVE),
    an_execution_event(id="end", **{**_REDRIVE, **_END}),
    a_failure(95, id="again", redriven_at=after(70.5)),
]
INSTANCE = [
    an_instance_event(),
    an_instance_event(id="2", version=2, time=after(5)),
    an_instance_event(id="3", version=3, time=after(9), status="INACTIVE"),
    an_instance_event(id="4", version=3, time=after(8), status="INACTIVE"),
]
NOUNS: dict[str, tuple[Sequence[Event], Any, Any]] = {
    "job": (JOB, advance_job, join_jobs),
    "execution": (EXECUTION, advance_execution, join_executions),
    "instance": (INSTANCE, advance_instance, join_instances),
}


@pytest.mark.parametrize("noun", NOUNS)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_a_join_is_what_the_events_of_both_add_up_to(
    noun: str, seed: int, data: st.DataObject
) -> None:
    """Whichever each of them knows, in whatever order; and to join once more changes nothing."""
    events, advance, join = NOUNS[noun]
    some = st.lists(st.sampled_from(events), min_size=1, unique_by=lambda event: event.id)
    one, other = data.draw(some), data.draw(some)
    both = [*one, *other]
    random.Random(seed).shuffle(both)

    joined = join(_state(advance, one), _state(advance, other))

    assert joined == _state(advance, both)
    assert join(joined, _state(advance, other)) == joined


def _state(advance: Callable[[Any, Any, str], Any], events: Sequence[Event]) -> Any:
    return reduce(lambda state, event: advance(state, event, ACCOUNT), events, None)
