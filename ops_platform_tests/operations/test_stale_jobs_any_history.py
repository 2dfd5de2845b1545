"""Whatever happens to jobs and their events meanwhile, no job is cancelled before its time.

Batch is simulated: jobs come, wait for others, start, fail, are retried and end; of their events
some are late, lost or told twice; cleanings come at any time, within each other as well.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.aws_values import moment
from ops_platform.domain.events import JobEvent
from ops_platform.domain.reasons import STALE_MARK
from ops_platform_tests.fake_queue_jobs import FakeJob
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.stale_world import HUGE, World

UNFIT, STUCK = timedelta(minutes=15), timedelta(minutes=40)
# No job starts, fails and waits again within the seconds that AWS takes to answer two calls.
SHORTEST_RUN = timedelta(seconds=30)


@dataclass
class History:
    """One history of an account, made by chance."""

    world: World
    chance: random.Random
    mail: list[JobEvent] = field(default_factory=list)
    cleanings: int = 0
    within: int = 0

    def step(self) -> None:
        """Let something happen, or time pass."""
        happens = self.chance.choices(
            [self._submit, self._move, self._deliver, self._clean, self._pass],
            weights=[2, 6, 6, 2, 6],
        )[0]
        happens()

    def _submit(self) -> None:
        batch, chance = self.world.batch, self.chance
        asked: dict[str, Any] = {
            "vcpus": chance.choice([1, 2, HUGE]),
            "run": f"run-{chance.randrange(6)}",
            "flow": chance.choice(["TrainFlow", "OtherFlow"]),
        }
        waiting = list(batch.api.jobs)
        if waiting and chance.random() < 0.3:
            asked["depends_on"] = [chance.choice(waiting)]
        queue = chance.choice(["flows", "other"])
        if chance.random() < 0.2:
            parent = batch.submit_array(3, queue, **asked)
            self._changed(*batch.job(parent).children)
        else:
            self._changed(batch.job(batch.submit(queue, **asked)))

    def _move(self) -> None:
        jobs = [job for job in self.world.batch.api.jobs.values() if not job.children]
        if jobs:
            self._next(self.chance.choice(jobs))

    def _next(self, job: FakeJob) -> None:
        """Let a job go on, as Batch would."""
        batch, now = self.world.batch, self.world.clock()
        ran = job.starting_at is not None and now - job.starting_at >= SHORTEST_RUN
        if job.status == "PENDING":
            batch.ready(job.id)
        elif job.status == "RUNNABLE" and not job.detail.get("isCancelled"):
            self.chance.choice([batch.start, batch.run])(job.id)
        elif job.status == "STARTING":
            batch.api.move(job, "RUNNING")
        elif job.status == "RUNNING" and ran:
            self.chance.choice([batch.retry, batch.retry, batch.end])(job.id)
        else:
            return
        self._changed(job)

    def _changed(self, *jobs: FakeJob) -> None:
        """Have EventBridge tell, perhaps twice; one event of four is lost."""
        for job in jobs:
            event = self.world.batch.event(job.id)
            self.mail += [event] * self.chance.choice([0, 1, 1, 2])

    def _deliver(self) -> None:
        """Bring some of the events, in any order."""
        self.chance.shuffle(self.mail)
        some = self.chance.randrange(len(self.mail) + 1)
        told, self.mail = self.mail[:some], self.mail[some:]
        if told:
            self.world.record(*told)

    def _clean(self) -> None:
        """Clean; while AWS answers, a little happens, another cleaning included."""
        self.cleanings += 1
        self.world.cleaner(holder=str(self.cleanings)).clean(
            enforce=True, despite_fault=self.chance.random() < 0.5
        )
        self.is_right()

    def meanwhile(self, action: str) -> None:
        """Happen before AWS answers a call, which it may be slow to do, but to cancel."""
        is_slow = action != "CancelJob" and self.chance.random() < 0.05
        self.world.wait(seconds=40 if is_slow else self.chance.random() * 0.3)
        if self.within < 2 and self.chance.random() < 0.1:
            self.within += 1
            happens = self.chance.choice([self._move, self._move, self._deliver, self._clean])
            happens()
            self.within -= 1

    def _pass(self) -> None:
        self.world.wait(seconds=self.chance.choice([5, 60, 400, 1200]))

    def is_right(self) -> None:
        """Check that whatever was cancelled had waited for long enough in its last attempt."""
        for job in self.cancelled():
            ended = moment(job.detail["stoppedAt"])
            assert job.runnable_at is not None
            assert ended is not None
            limit = UNFIT if _asks_for(job) >= HUGE else STUCK
            assert ended - job.runnable_at >= limit, job.detail

    def cancelled(self) -> list[FakeJob]:
        """Return the jobs that were cancelled as stale."""
        jobs = self.world.batch.api.jobs.values()
        ours = [job for job in jobs if str(job.detail.get("statusReason")).startswith(STALE_MARK)]
        return [job for job in ours if not job.children]


def _asks_for(job: FakeJob) -> float:
    return float(job.detail["container"]["resourceRequirements"][0]["value"])


def _history(ledger: Ledger, seed: int, steps: int) -> History:
    empty(ledger)
    world = World(ledger)
    world.batch.queue("other", "flows-spot")
    world.want(unfit_after=UNFIT, stuck_after=STUCK, most=5, breaker=4)
    history = History(world, random.Random(seed))
    world.batch.api.on_call = history.meanwhile
    for _ in range(steps):
        history.step()
    return history


@pytest.mark.parametrize("seed", range(4))
def test_no_history_has_a_job_cancelled_before_its_time(ledger: Ledger, seed: int) -> None:
    """Not even with events lost, and cleanings within cleanings."""
    history = _history(ledger, seed, steps=150)

    assert history.cleanings > 5


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_many_histories_none_has_either(ledger: Ledger) -> None:
    """And they are such that jobs are cancelled, not only spared."""
    cancelled = sum(len(_history(ledger, seed, steps=200).cancelled()) for seed in range(100, 160))

    assert cancelled > 60
