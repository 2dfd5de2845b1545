"""Whatever happens while a list is read, who waits all the time is in it, and nobody twice."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from ops_platform_tests.fake_queues import FakeQueues
from ops_platform_tests.fakes import FakeClock

# More tokens than four do not expire in one list, or it would be given up.
steps = st.lists(st.tuples(st.sampled_from("srcae"), st.integers(0, 40)), max_size=12).filter(
    lambda plan: [kind for kind, _ in plan].count("e") <= 4
)


@dataclass(slots=True)
class Bustle:
    """A queue in which something happens before each call that is answered.

    ``left`` are jobs that did not wait all the time.
    """

    batch: FakeQueues
    plan: list[tuple[str, int]]
    jobs: list[str]
    left: set[str] = field(default_factory=set)

    def __call__(self, _action: str) -> None:
        """Let the next thing happen."""
        if not self.plan:
            return
        kind, number = self.plan.pop()
        self._happenings()[kind](self.jobs[number % len(self.jobs)])

    def _happenings(self) -> dict[str, Callable[[str], None]]:
        return {
            "s": self._start,
            "r": self._retry,
            "c": self._cancel,
            "a": lambda _: self.left.update(self._children(self.batch.submit_array(3))),
            "e": lambda _: self._expire(),
        }

    def _start(self, job_id: str) -> None:
        if self.batch.status(job_id) == "RUNNABLE":
            self.batch.run(job_id)
            self.left.add(job_id)

    def _retry(self, job_id: str) -> None:
        if self.batch.status(job_id) == "RUNNING":
            self.batch.retry(job_id)

    def _cancel(self, job_id: str) -> None:
        if self.batch.status(job_id) == "RUNNABLE":
            self.batch.end(job_id, "FAILED", "cancelled by somebody")
            self.left.add(job_id)

    def _expire(self) -> None:
        self.batch.api.expired_tokens = 1

    def _children(self, array: str) -> list[str]:
        return [f"{array}:{index}" for index in range(3)]


@given(
    singles=st.integers(0, 25),
    arrays=st.lists(st.integers(1, 6), max_size=5),
    page=st.integers(1, 30),
    plan=steps,
)
def test_who_waits_all_the_time_is_listed_once(
    singles: int, arrays: list[int], page: int, plan: list[tuple[str, int]]
) -> None:
    """Jobs start, are retried and cancelled, arrays come, tokens expire, pages are of any size."""
    batch = FakeQueues(FakeClock())
    queue = batch.queue("flows")
    jobs = [batch.submit() for _ in range(singles)]
    for size in arrays:
        parent = batch.submit_array(size)
        jobs += [f"{parent}:{index}" for index in range(size)]
    batch.api.page = page
    bustle = Bustle(batch, [*plan], jobs or [batch.submit()])
    batch.api.on_call = bustle

    listed = [job.id for job in batch.batch().runnable(queue)]

    assert len(set(listed)) == len(listed)
    assert set(bustle.jobs) - bustle.left <= set(listed)
