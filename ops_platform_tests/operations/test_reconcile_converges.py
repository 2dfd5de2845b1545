"""Whatever is lost of the events of Step Functions, with reconciliation it comes to the same."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.events import Event
from ops_platform_tests.build import NOON
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.reconcile_world import INTERVAL, World

ENDS = ("FAILED", "FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED")
_HOW_TOLD = {"event_id", "changed_at", "seq"}
_ON_A_DATABASE = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass
class Life:
    """An account in which runs begin, end and are redriven, while events go astray.

    ``lost`` of the events of Step Functions never come; the others come now or at some later time,
    once or more often. Each interval the account is reconciled, its lists being behind by
    ``lag``.
    """

    world: World
    rng: random.Random
    lost: float
    lag: timedelta
    happened: list[Event] = field(default_factory=list)
    on_the_way: list[Event] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to watch two flows."""
        self.world.api.lag = self.lag
        other = self.world.api.deploy("fraud.prod.Other", flow="Other", owner="bo")
        self.flows = [self.world.flow, other]
        self.world.reconcile()

    def go_on(self, **by: float) -> None:
        """Let time pass, with what happens in each interval of it."""
        left = timedelta(**by)
        while left > timedelta(0):
            step = min(left, INTERVAL)
            self.world.wait(seconds=step.total_seconds())
            left -= step
            self._forward()
            if self.rng.random() < step / INTERVAL:
                self.world.reconcile()

    def act(self) -> None:
        """Let something happen to a run."""
        choices = [self._begin]
        choices += [self._end] * 2 * bool(self.running) + [self._redrive] * bool(self.failed)
        self.rng.choice(choices)()

    def finish(self) -> None:
        """End what runs, and wait until everything there is has come."""
        while self.running:
            self._end()
        self._forward()
        for _ in range(4):
            self.world.wait(minutes=5)
            self.world.reconcile()
        self.world.deliver(*self.on_the_way)

    def _begin(self) -> None:
        name = f"run-{len(self.happened)}"
        self.running.append(self.world.api.start(self.rng.choice(self.flows), name))

    def _end(self) -> None:
        arn = self._take(self.running)
        self.world.wait(seconds=self.rng.randint(1, 90))
        status = self.rng.choice(ENDS)
        if status != "SUCCEEDED":
            self.failed.append(arn)
            self._job_fails(arn)
        self.world.api.end(arn, status, error=f"E{self.rng.randint(1, 9)}")

    def _redrive(self) -> None:
        # A failure that is redriven before anybody could look shows in no list any more.
        arn = self._take(self.failed)
        self.world.wait(seconds=(self.lag + INTERVAL).total_seconds())
        self.world.reconcile()
        self.world.api.redrive(arn)
        self.running.append(arn)

    def _job_fails(self, arn: str) -> None:
        name = arn.rpartition(":")[2]
        since = (self.world.clock() - NOON).total_seconds()
        job = a_job_history(f"{name}-{since}", exits=[1], begin=since - 20)[-1]
        told = msgspec.structs.replace(job, run_id=f"sfn-{name}")
        self.happened.append(told)
        self.on_the_way += [told] * self.rng.choice((1, 1, 2))

    def _forward(self) -> None:
        """Lose some of the new events; of all that are on the way, some come."""
        known = {event.id for event in self.happened}
        for event in self.world.api.events:
            if event.id not in known:
                self.happened.append(event)
                if self.rng.random() >= self.lost:
                    self.on_the_way += [event] * self.rng.choice((1, 1, 2))
        self.rng.shuffle(self.on_the_way)
        coming = self.rng.randint(0, len(self.on_the_way))
        come, self.on_the_way = self.on_the_way[:coming], self.on_the_way[coming:]
        if come:
            self.world.deliver(*come)

    def _take(self, arns: list[str]) -> str:
        return arns.pop(self.rng.randrange(len(arns)))


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what only tells by which event it is known."""
    shown = {name: value for name, value in row.items() if name not in _HOW_TOLD}
    if failure := shown.get("failure"):
        shown["failure"] = {n: v for n, v in failure.items() if n not in {"id", "time"}}
    return shown


def _state(world: World) -> dict[str, list[dict[str, Any]]]:
    tables = (schema.jobs, schema.executions, schema.runs, schema.incidents)
    return {table.name: [_said(row) for row in world.rows(table)] for table in tables}


@_ON_A_DATABASE
@given(
    seed=st.integers(0, 2**32),
    lost=st.sampled_from((0.0, 0.2, 0.5, 1.0)),
    lag=st.integers(0, 4),
    length=st.integers(1, 15),
)
@pytest.mark.slow
def test_lost_events_come_to_the_same_incidents_as_if_none_were_lost(
    emptied_ledger: Ledger, seed: int, lost: float, lag: int, length: int
) -> None:
    """In any order, repeated, late or never: jobs, executions and incidents are the same."""
    empty(emptied_ledger)
    world = World(emptied_ledger)
    life = Life(world, random.Random(seed), lost, timedelta(minutes=lag))
    for _ in range(length):
        life.act()
        life.go_on(seconds=life.rng.randint(1, 400))
    life.finish()
    found = _state(world)
    messages = [row["incident_id"] for row in world.rows(schema.alerts) if row["part"] == "message"]

    empty(emptied_ledger)
    if life.happened:
        world.deliver(*life.happened)

    assert found == _state(world)
    assert sorted(messages) == sorted(incident["id"] for incident in found["incidents"])


def test_a_failure_that_is_redriven_before_anybody_looked_is_known_by_its_event_alone(
    emptied_ledger: Ledger,
) -> None:
    """No list shows it any more, and whoever redrove the run knows of it."""
    world = World(emptied_ledger)
    world.watch()
    arn = world.fail("run")
    world.api.redrive(arn)
    world.wait(minutes=1)
    world.api.end(arn, "SUCCEEDED")
    world.reconcile()
    assert world.incidents() == {}

    world.deliver()

    assert world.incidents() == {"run": "resolved"}


@pytest.mark.parametrize(("first", "second"), [("event", "api"), ("api", "event")])
def test_either_of_the_two_ways_may_be_first(
    emptied_ledger: Ledger, first: str, second: str
) -> None:
    """What the one told is not changed by the other."""
    world = World(emptied_ledger)
    world.watch()
    world.fail("run")
    _hear(world, first)
    before = _state(world), world.told()

    _hear(world, second)

    assert (_state(world), world.told()) == before


def _hear(world: World, of: str) -> None:
    if of == "event":
        world.deliver()
    else:
        world.reconcile()
