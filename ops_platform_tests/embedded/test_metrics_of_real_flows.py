"""Real flows run in a real edition, and every metric is what others counted of them.

Those others are a recount of the raw events, which a second queue overheard, and the tasks, which
wrote down themselves when they were at work and how they ended.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schema import events
from ops_platform.domain.hours import HOUR, Hours, hour_of
from ops_platform.domain.moments import MADE
from ops_platform.embedded.postgres import running_postgres
from ops_platform_tests.embedded.aws.accounts import Json
from ops_platform_tests.embedded.flows.ground_truth import FAILED, SUCCEEDED, Attempt, read
from ops_platform_tests.embedded.overheard import Overheard
from ops_platform_tests.embedded.real_flows import DataScientist, Flow, awaited
from ops_platform_tests.embedded.up_process import Up, up
from ops_platform_tests.ledger_world import open_ledger
from ops_platform_tests.operations.metrics_compared import assert_same
from ops_platform_tests.recount import Recount

FLOWS = (Flow("nested_retries", "NestedRetries", "grace"), Flow("one_branch", "OneBranch", "ada"))
# Python starts, Metaflow loads and stores: what Batch sees of a task beside what it does.
_AROUND_MS = 60_000
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of some hours of real flows: by the queue, by the tasks, by the platform."""

    edition: Up
    ledger: Ledger
    hours: Hours
    bodies: list[bytes]
    tasks: list[Attempt]
    accounts: dict[str, str]

    def shown(self, metric: str, *by: str) -> list[Json]:
        """Return a metric as the command shows it, summed over the hours."""
        dimensions = [word for name in by for word in ("--by", name)]
        return self.edition.listed("metrics", "show", metric, *dimensions, *_period(self.hours))

    def counted(self, metric: str, *by: str) -> Counter[tuple[str, ...]]:
        """Return the counts of a metric by the values of dimensions, without nothings."""
        found: Counter[tuple[str, ...]] = Counter()
        for row in self.shown(metric, *by):
            found[tuple(row[name] for name in by)] += row["count"]
        return +found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Let each flow fail and then succeed, side by side; compute as soon as all is told."""
    folder = tmp_path_factory.mktemp("metered")
    with ExitStack() as stack:
        edition = stack.enter_context(up(folder / "state"))
        edition.await_words("Running.", seconds=100)
        server = stack.enter_context(running_postgres(edition.state))
        ledger = stack.enter_context(open_ledger(server.url("ledger")))
        person = DataScientist(edition, "staging")
        overheard, begin = Overheard(person.aws), datetime.now(UTC)
        with ThreadPoolExecutor(len(FLOWS)) as pool:
            list(pool.map(lambda flow: _run_twice(person, flow, folder), FLOWS))
        awaited(overheard.is_over, seconds=120, what="the end of the last host")
        awaited(lambda: _has_all(ledger, overheard), seconds=120, what="the last event")
        hours = Hours(hour_of(begin), hour_of(datetime.now(UTC)) + HOUR)
        edition.listed("metrics", "compute", *_period(hours))
        yield Seen(
            edition,
            ledger,
            hours,
            overheard.bodies,
            [attempt for flow in FLOWS for attempt in read(folder / flow.name)],
            {person.account.account_id: "staging"},
        )


def _run_twice(person: DataScientist, flow: Flow, folder: Path) -> None:
    """Run a flow that fails, and the fixed one, whose tasks write into one folder."""
    truth = folder / flow.name
    truth.mkdir()
    person.deploy(flow)
    for fixed, status in (("False", "FAILED"), ("True", "SUCCEEDED")):
        run_id = person.trigger(flow, "--truth", str(truth), "--fixed", fixed)
        assert person.until_ended(flow, run_id)["status"] == status


def _has_all(ledger: Ledger, overheard: Overheard) -> bool:
    query = sa.select(events.c.event_id).where(~events.c.event_id.startswith(MADE))
    with ledger.transaction() as tx:
        return overheard.ids() <= set(tx.scalars(query))


def _period(hours: Hours) -> list[str]:
    return ["--from", f"{hours.begin:%Y-%m-%dT%H:%MZ}", "--to", f"{hours.end:%Y-%m-%dT%H:%MZ}"]


def test_every_metric_is_what_the_raw_events_add_up_to(seen: Seen) -> None:
    """By all dimensions at once, and by none."""
    truth = Recount(seen.bodies, accounts=seen.accounts, now=datetime.now(UTC))

    assert_same(seen.ledger, truth, seen.hours)
    assert_same(seen.ledger, truth, seen.hours, by=lambda _: ())


def test_the_hours_are_of_flows_that_did_something(seen: Seen) -> None:
    """Else nothing would be equal to nothing."""
    assert seen.counted("executions", "flow", "status") == {
        (flow.name, status): times
        for flow in FLOWS
        for status, times in (("RUNNING", 2), ("FAILED", 1), ("SUCCEEDED", 1))
    }
    assert sum(seen.counted("job_retries").values()) >= 3


def test_each_task_ran_as_often_as_it_wrote_down(seen: Seen) -> None:
    """Attempts that began, by flow and step, and how they ended."""
    wrote = Counter(each.step for each in seen.tasks)
    begun = seen.counted("job_transitions", "step", "state")
    ended = seen.counted("attempt_running_ms", "step", "outcome")

    for step, times in wrote.items():
        assert begun[step, "RUNNING"] == times, step
        did = Counter(each.outcome for each in seen.tasks if each.step == step)
        assert ended[step, "succeeded"] == did[SUCCEEDED], step
        assert ended[step, "failed"] == times - did[SUCCEEDED] >= did[FAILED], step


def test_retries_are_the_second_attempts_that_wrote(seen: Seen) -> None:
    """Only one step has any."""
    again = Counter((each.step,) for each in seen.tasks if each.attempt > 1)

    assert seen.counted("job_retries", "step") == again


def test_tasks_ran_no_shorter_than_they_were_at_work(seen: Seen) -> None:
    """And not much longer: RUNNING to the end of a job's last attempt has the work within it."""
    last = {each.job_id: each for each in sorted(seen.tasks, key=lambda each: each.attempt)}
    rows = seen.shown("job_running_ms", "step", "status")
    for step in {each.step for each in last.values()}:
        worked = [each.at - each.since for each in last.values() if each.step == step]
        told = [row for row in rows if row["step"] == step]
        assert sum(row["count"] for row in told) == len(worked)
        total = sum(row["sum"] for row in told)
        assert 1000 * sum(worked) <= total <= 1000 * sum(worked) + _AROUND_MS * len(worked)
