"""What the benchmarks feed to ingest is what AWS would send."""

import json
from collections import Counter
from collections.abc import Sequence

from bench.load import Load, run_events
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import ExecutionEvent, JobEvent, Rejected


def test_the_same_load_is_the_same_bytes() -> None:
    """A number can only be compared with one from the same events."""
    assert list(run_events(Load(width=20))) == list(run_events(Load(width=20)))
    assert list(run_events(Load(width=20))) != list(run_events(Load(width=20, seed=1)))


def test_every_event_is_understood() -> None:
    """About ten of them a job, in order, with ids of their own, and one run around them all."""
    events = [parse(body) for body in run_events(Load(width=30, failing=2))]
    ids = {event.id for event in events if not isinstance(event, Rejected)}
    jobs = [event for event in events if isinstance(event, JobEvent)]
    first, last = events[0], events[-1]

    assert isinstance(first, ExecutionEvent)
    assert isinstance(last, ExecutionEvent)
    assert (first.status, last.status) == ("RUNNING", "FAILED")
    assert len(jobs) + 2 == len(events) == len(ids)
    assert 9 * 30 <= len(events) <= 11 * 30 + 10
    assert [event.time for event in jobs] == sorted(event.time for event in jobs)
    assert {event.run_id for event in jobs} == {f"sfn-{first.name}"}


def test_the_jobs_end_as_the_load_says() -> None:
    """Without a failure the join runs and the execution succeeds."""
    failing = [parse(body) for body in run_events(Load(width=30, failing=2))]
    passing = [parse(body) for body in run_events(Load(width=30, failing=0))]

    assert _ends(failing) == {("start", "SUCCEEDED"): 1, ("work", "SUCCEEDED"): 28} | {
        ("work", "FAILED"): 2
    }
    assert _ends(passing) == {
        ("start", "SUCCEEDED"): 1,
        ("work", "SUCCEEDED"): 30,
        ("join", "SUCCEEDED"): 1,
    }


def test_an_event_is_as_large_as_a_real_one() -> None:
    """The environment of a container is most of it."""
    body = list(run_events(Load(width=1)))[-2]

    assert 4_000 < len(body) < 8_000
    assert 20 <= len(json.loads(body)["detail"]["container"]["environment"]) <= 30


def _ends(events: Sequence[object]) -> Counter[tuple[str | None, str]]:
    final = ("SUCCEEDED", "FAILED")
    return Counter(
        (event.step, event.status)
        for event in events
        if isinstance(event, JobEvent) and event.status in final
    )
