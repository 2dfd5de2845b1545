"""Whatever has happened to a job and whatever of it is known, it is never cancelled too soon."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ops_platform.domain.causes import Fault
from ops_platform.domain.events import Attempt, JobEvent
from ops_platform.domain.lifecycle import Job, advance_job
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, judge
from ops_platform.domain.waiting_jobs import WaitingJob
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event
from ops_platform_tests.build_stale import with_fault

POLICY = Policy(unfit_after=timedelta(minutes=15), stuck_after=timedelta(minutes=40))
LIMITS = {Fault.JOB: POLICY.unfit_after, Fault.STUCK: POLICY.stuck_after}
spans = st.integers(0, 7_200_000).map(lambda millis: timedelta(milliseconds=millis))


@dataclass
class Life:
    """A job as it truly fared, and the events that told of it."""

    at: datetime = NOON
    since: datetime = NOON
    attempts: tuple[Attempt, ...] = ()
    events: list[JobEvent] = field(default_factory=list)

    def enter(self, status: str) -> None:
        """Come into a state; the event's time loses its fraction of a second."""
        told = a_job_event(
            id=f"{status} {len(self.events)}",
            status=status,
            time=self.at.replace(microsecond=0),
            created_at=NOON,
            attempts=self.attempts,
        )
        self.events.append(told)
        self.since = self.at if status == "RUNNABLE" else self.since

    def end_attempt(self, began: datetime) -> None:
        """Let an attempt end without success."""
        ended = Attempt(started_at=began, stopped_at=self.at, exit_code=1)
        self.attempts = (*self.attempts, ended)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, bool]:
    """A job that is RUNNABLE, in whichever attempt, and whether it had waited for others."""
    life, waited = Life(), draw(st.booleans())
    if waited:
        life.at += draw(spans)
    life.enter("RUNNABLE")
    for _ in range(draw(st.integers(0, 3))):
        for status in ("STARTING", "RUNNING")[: draw(st.integers(1, 2))]:
            life.at += draw(spans)
            life.enter(status)
        began = life.at
        life.at += draw(spans)
        life.end_attempt(began)
        life.enter("RUNNABLE")
    return life, waited


def _known(events: list[JobEvent]) -> Iterator[datetime | None]:
    """Yield when it became RUNNABLE and when STARTING, by events in any order and number."""
    state: Job | None = None
    for event in events:
        state = advance_job(state, event, ACCOUNT)
    yield state.runnable_at if state else None
    yield state.starting_at if state else None


@settings(max_examples=1000)
@given(
    lived=lives(),
    data=st.data(),
    fault=st.sampled_from(sorted(LIMITS)),
    early=st.one_of(st.just(1), st.integers(1, 7_200_000)),
)
def test_no_job_is_cancelled_before_its_time(
    lived: tuple[Life, bool], data: st.DataObject, fault: Fault, early: int
) -> None:
    """Not by a millisecond, though events get lost, repeat and come in any order.

    Only what Batch describes is always true.
    """
    life, waited = lived
    told = data.draw(st.lists(st.sampled_from(life.events), max_size=8))
    runnable_at, starting_at = _known(told)
    described = a_job_event(
        status="RUNNABLE", time=NOON, created_at=NOON, attempts=life.attempts, blocked=True
    )
    job = WaitingJob(
        Job(ACCOUNT, described, runnable_at, starting_at),
        tags={},
        parameters={},
        depends_on=("other",) if waited else (),
    )

    now = life.since + LIMITS[fault] - timedelta(milliseconds=early)
    verdict = judge(job, with_fault(fault), POLICY, now)

    assert verdict.decision is not Decision.CANCEL


@given(lived=lives(), waits=spans)
def test_whoever_is_told_everything_cancels_in_time(
    lived: tuple[Life, bool], waits: timedelta
) -> None:
    """The rule above is not kept by never cancelling."""
    life, _ = lived
    runnable_at, starting_at = _known(life.events)
    job = WaitingJob(Job(ACCOUNT, life.events[-1], runnable_at, starting_at), tags={})

    verdict = judge(
        replace(job, parameters={}),
        with_fault(Fault.JOB),
        POLICY,
        life.since + POLICY.unfit_after + timedelta(seconds=1) + waits,
    )

    assert verdict.decision is Decision.CANCEL
