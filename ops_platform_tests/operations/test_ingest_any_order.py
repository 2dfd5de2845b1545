"""However a run's events come, they add up to the same."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event, ExecutionEvent, JobEvent
from ops_platform.operations.ingest_events import Recorded, record
from ops_platform_tests.build import ACCOUNTS, after, an_execution_event, bodies
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.ledger_world import POLICY, Contents, alerts, contents, empty, open_ledger

NOW = after(120)
# Each example is some transactions with a real database.
_ON_A_DATABASE = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _record(ledger: Ledger, batch: Sequence[bytes]) -> Recorded:
    return record(ledger, batch, accounts=ACCOUNTS, policy=POLICY, now=NOW)


@pytest.fixture
def expected(ledger: Ledger, run: list[Event]) -> Contents:
    """Give what the events add up to if nothing disturbs them."""
    _record(ledger, bodies(run))
    return contents(ledger)


def _redriven(run: Sequence[Event]) -> list[Event]:
    """Return a run that failed, was redriven, and then succeeded."""
    again = an_execution_event(id="redriven", time=after(300), redriven_at=after(300.5))
    end = {"status": "SUCCEEDED", "stopped_at": after(400.25), "redriven_at": after(300.5)}
    done = an_execution_event(id="done", time=after(400), **end)
    return [*run, again, *a_job_history("again", exits=[0], begin=310), done]


RUNS = {"failing": a_failing_run(), "redriven": _redriven(a_failing_run())}


@pytest.fixture(params=sorted(RUNS))
def run(request: pytest.FixtureRequest) -> list[Event]:
    """Give the events of a run in the order they happened."""
    return RUNS[request.param]


@_ON_A_DATABASE
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_any_order_repetition_and_batching_gives_the_same_rows(
    ledger: Ledger, run: list[Event], expected: Contents, seed: int, sizes: list[int]
) -> None:
    """Jobs, executions, instances, runs and the incident do not depend on the way they came."""
    empty(ledger)
    rng = random.Random(seed)
    messages = [each for each in bodies(run) for _ in range(rng.choice((1, 1, 2)))]
    rng.shuffle(messages)

    total = Recorded()
    for batch in _batches(messages, sizes):
        total += _record(ledger, batch)

    assert contents(ledger) == expected
    assert total.new == len(run)
    assert total.duplicates == len(messages) - len(run)


def test_events_that_come_one_by_one_give_what_they_give_at_once(
    ledger: Ledger, run: list[Event], expected: Contents
) -> None:
    """A batch of one is a batch, forwards and backwards."""
    for messages in (bodies(run), bodies(run)[::-1]):
        empty(ledger)
        for message in messages:
            _record(ledger, [message])

        assert contents(ledger) == expected


def test_what_comes_again_after_a_restart_changes_nothing(
    ledger_url: str, ledger: Ledger, run: list[Event]
) -> None:
    """The ledger remembers what a process does not, and an alert is opened once."""
    first = _record(ledger, bodies(run))
    before = contents(ledger), alerts(ledger)

    with open_ledger(ledger_url) as another:
        again = _record(another, bodies(run))

    assert first == Recorded(read=len(run), new=len(run), newest=run[-1].time)
    assert again == Recorded(read=len(run), duplicates=len(run))
    assert (contents(ledger), alerts(ledger)) == before


def test_the_incident_counts_root_failures_and_collateral(ledger: Ledger) -> None:
    """The run of the builder fails by two of its tasks and drags two along."""
    _record(ledger, bodies(a_failing_run()))

    [incident] = contents(ledger)["incidents"]

    assert (incident["failed_jobs"], incident["collateral_jobs"]) == (2, 2)
    assert incident["steps"] == {
        "start": {"failed": 0, "collateral": 0, "succeeded": 1},
        "work": {"failed": 2, "collateral": 2, "succeeded": 1},
    }
    assert (incident["job_id"], incident["reason"]) == ("root-2", "killed by a signal")
    assert (incident["flow"], incident["owner"], incident["state"]) == ("TrainFlow", "ana", "open")


@pytest.mark.parametrize("order", [1, -1], ids=["as named", "reversed"])
@pytest.mark.parametrize("size", [1, 2], ids=["one by one", "at once"])
def test_jobs_that_disagree_on_the_owner_settle_on_the_least(
    ledger: Ledger, order: int, size: int
) -> None:
    """Nobody is forgotten because another job of the run names no owner, or another one."""
    jobs = [a_job_history(name, exits=[0], begin=0)[0] for name in ("a", "b", "c")]
    owners = ("Zoë", None, "ana")
    told = [
        msgspec.structs.replace(job, owner=owner) for job, owner in zip(jobs, owners, strict=True)
    ][::order]
    for at in range(0, len(told), size):
        _record(ledger, bodies(told[at : at + size]))

    [known] = contents(ledger)["runs"]

    assert known["owner"] == "Zoë"


@pytest.mark.parametrize("order", [1, -1], ids=["as they happened", "reversed"])
def test_an_event_that_changes_no_state_may_still_name_the_owner(
    ledger: Ledger, order: int
) -> None:
    """What a run's first event tells counts as well when it comes last."""
    submitted, *_, ended = a_job_history("a", exits=[1], begin=0)
    begun = msgspec.structs.replace(submitted, status="SUBMITTED", owner="ana")
    failed = an_execution_event(id="end", status="FAILED", stopped_at=after(60), time=after(60))
    for event in [begun, msgspec.structs.replace(ended, owner=None), failed][::order]:
        _record(ledger, bodies([event]))

    [incident] = contents(ledger)["incidents"]

    assert incident["owner"] == "ana"


@pytest.mark.parametrize("order", [1, -1])
def test_an_input_that_aws_left_out_later_does_not_hide_a_run(ledger: Ledger, order: int) -> None:
    """Step Functions omits input and output that are too large together: what was seen counts."""
    begun = an_execution_event()
    failed = msgspec.structs.replace(
        begun, id="end", status="FAILED", stopped_at=after(9), time=after(9), metaflow_input=False
    )
    for event in [begun, failed][::order]:
        _record(ledger, bodies([event]))

    assert len(contents(ledger)["incidents"]) == 1


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_each_end_that_is_no_success_opens_an_incident(ledger: Ledger, status: str) -> None:
    """Its kind tells which."""
    kinds = {"FAILED": "run_failed", "TIMED_OUT": "run_timed_out", "ABORTED": "run_aborted"}
    ended = an_execution_event(status=status, stopped_at=after(1), time=after(1))

    _record(ledger, bodies([ended]))

    assert [row["kind"] for row in contents(ledger)["incidents"]] == [kinds[status]]
    assert alerts(ledger)[0]["due_at"] == NOW + POLICY.settle


def test_two_runs_at_once_do_not_mix(ledger: Ledger) -> None:
    """Each incident counts the jobs of its own run."""
    other = [_of_another_run(event) for event in a_failing_run()]
    mixed = bodies([*a_failing_run(), *other])
    random.Random(1).shuffle(mixed)
    for at in range(0, len(mixed), 7):
        _record(ledger, mixed[at : at + 7])

    found = {row["run_id"]: row["failed_jobs"] for row in contents(ledger)["incidents"]}

    assert sorted(found.values()) == [2, 2]
    assert "sfn-other" in found


def _of_another_run(event: Event) -> Event:
    told = msgspec.structs.replace(event, id=f"other-{event.id}")
    later = {"time": event.time + timedelta(seconds=0.5)}
    match told:
        case JobEvent():
            return msgspec.structs.replace(told, job_id=f"x{told.job_id}", run_id="sfn-other")
        case ExecutionEvent():
            arn = f"{told.execution_arn}-other"
            return msgspec.structs.replace(told, name="other", execution_arn=arn, **later)
        case _:
            return told


def _batches(messages: Sequence[bytes], sizes: Sequence[int]) -> Iterator[Sequence[bytes]]:
    at = 0
    while at < len(messages):
        for size in sizes:
            yield messages[at : at + size]
            at += size
