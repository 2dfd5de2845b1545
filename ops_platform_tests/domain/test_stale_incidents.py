"""What waits as an incident: a blocked queue, and a job that does not start."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ops_platform.domain.alert_message import Message, render
from ops_platform.domain.blocked_queues import BlockedQueue
from ops_platform.domain.causes import Cause
from ops_platform.domain.events import Attempt
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform.domain.lifecycle import LOST, Job
from ops_platform.domain.notes import render_note
from ops_platform.domain.reasons import STALE_MARK, TIME_LIMIT_MARK
from ops_platform.domain.stale_incidents import (
    CANCELLED,
    ENDED,
    MOVES_AGAIN,
    NOT_WAITING,
    STARTED,
    by_run,
    queue_incident,
    stuck_incident,
    why_over,
)
from ops_platform.domain.stale_policy import Policy
from ops_platform.domain.staleness import Decision, Judged, Verdict, Why
from ops_platform.domain.standstill import Standstill
from ops_platform.domain.telling import Why as Due
from ops_platform_tests.build import ACCOUNT, NOON, a_failed_execution, a_job_event, after
from ops_platform_tests.build_stale import a_diagnosis, a_waiting_job
from ops_platform_tests.stories import ANA, a_story, check, shown

BLOCKED = BlockedQueue(
    queue="gpu",
    since=after(-7200),
    sentence="Compute environment gpu-spot is disabled since 2 h 5 min; 3 jobs wait.",
    advice="Enable it again.",
    waiting=1412,
    blocker="head-job",
    held_back=5,
)
COMMAND = (
    "`ops-platform stale-jobs --account production --queue gpu --enforce --despite-fault"
    " --reason 'why'`"
)


def a_warning(
    job_id: str = "first", *, why: Why = Why.SOON, due: float | None = 900, **changes: Any
) -> Judged:
    """Return a job that has waited since noon and is warned of."""
    verdict = Verdict(Decision.WARN, why, NOON, None if due is None else after(due))
    waiting = a_waiting_job(a_job_event(job_id=job_id, **changes))
    diagnosis = a_diagnosis(Cause.TOO_MANY_VCPUS, sentence="It asks for 999 vCPUs.")
    return Judged(waiting, diagnosis, verdict, Policy(warn_before=timedelta(minutes=5)))


def _told(incident: Incident, **changes: Any) -> Message:
    message = render(a_story(incident=incident, **changes), NOON)
    check(message, called=["U0ADA00001"])
    return message


# --- queues ---------------------------------------------------------------------------------------


def test_a_blocked_queue_says_why_what_to_do_and_what_was_held_back() -> None:
    """With the command by which an operator decides otherwise."""
    message = _told(queue_incident(ACCOUNT, BLOCKED, now=NOON), mention=None)
    text = shown(message)

    assert message.text == f"Queue gpu is blocked in production: {BLOCKED.sentence}"
    assert f"1,412 jobs wait in it.\n*What to do*\n{BLOCKED.advice}\n" in text
    assert f"to have it done all the same:\n{COMMAND}" in text
    assert "5 stale jobs were not cancelled, since the queue is at fault; " in text
    assert "*Queue* `gpu`\n*Noticed* <!date" in text
    assert ", after 2 h\n" in text
    assert "*At its head* `head-job`" in text
    assert "|Run>" not in text
    assert "|History>" not in text


def test_a_queue_with_nothing_held_back_offers_no_command() -> None:
    """There is nothing that it could do."""
    incident = queue_incident(ACCOUNT, replace(BLOCKED, held_back=0, blocker=None), now=NOON)

    text = shown(_told(incident, mention=None))

    assert "ops-platform" not in text
    assert "At its head" not in text


@pytest.mark.parametrize(
    ("changes", "is_news"),
    [
        ({"waiting": 7}, False),
        ({"held_back": 60}, False),
        ({"since": NOON}, False),
        ({"sentence": BLOCKED.sentence.replace("2 h 5 min; 3", "1 day; 12,412")}, False),
        ({"sentence": "Compute environment gpu-spot is invalid."}, True),
        ({"advice": "Repair it."}, True),
        ({"blocker": "another"}, True),
        ({"held_back": 0}, True),
    ],
)
def test_only_what_matters_is_news(changes: dict[str, Any], *, is_news: bool) -> None:
    """Numbers change from one look to the next."""
    before, now_is = (
        queue_incident(ACCOUNT, each, now=NOON) for each in (BLOCKED, replace(BLOCKED, **changes))
    )

    assert before.id == now_is.id
    assert (before.failing != now_is.failing) is is_news


def test_a_queue_that_moves_again_calls_nobody() -> None:
    """And says how long it stood."""
    over = msgspec.structs.replace(
        queue_incident(ACCOUNT, BLOCKED, now=NOON),
        state=State.RESOLVED,
        resolved_at=after(600),
        resolved_by=MOVES_AGAIN,
    )
    words = "Queue gpu recovered in production after 10 min: the queue moves again."

    assert _told(over, mention=None).text == words
    note = render_note(Due.RESOLVED, a_story(incident=over), now=NOON)
    assert note.text == f"🟢 {words}"


# --- jobs -----------------------------------------------------------------------------------------


def test_a_warning_says_why_what_to_change_and_when_it_is_cancelled() -> None:
    """To the owner, who can still do something."""
    group = [a_warning(), a_warning("second"), a_warning("third")]
    incident = stuck_incident(group, a_failed_execution(), now=after(600))
    held_up = Standstill(sentence="It asks for 999 vCPUs.", cause="too many vCPUs")

    message = _told(incident, standstill=held_up)
    text = shown(message)

    assert message.text == (
        f"{ANA} A job of TrainFlow does not start in production, step `work`:"
        " It asks for 999 vCPUs."
    )
    assert "*job does not start* in step `work`: too many vCPUs" in text
    assert "*Why it does not start*\nIt asks for 999 vCPUs." in text
    assert (
        "It is cancelled at 2026-03-02 12:15 UTC unless it starts before, and its run fails"
        " with it.\n2 other jobs of this run wait as well.\n*What to change*\nChange it."
    ) in text
    assert "*Project* `fraud` / `prod` · *Owner* `ana`" in text
    assert "|Execution>" in text
    assert "jobs failed" not in text


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (Why.WAITS_ITS_TURN, "It waits its turn, and is not cancelled for that."),
        (Why.BEHIND_ANOTHER, "It waits behind another job, and is not cancelled for that."),
        (Why.QUEUE_AT_FAULT, "Its queue is at fault, so it is not cancelled; whoever runs it"),
    ],
)
def test_a_job_that_merely_waits_is_not_threatened(why: Why, words: str) -> None:
    """It says for what, and that nobody cancels it."""
    incident = stuck_incident([a_warning(why=why, due=None)], None, now=after(600))

    assert words in shown(_told(incident))
    assert "It is cancelled" not in str(incident.error)


def test_a_job_of_no_run_is_warned_of_by_itself() -> None:
    """By its name, if it is not Metaflow's."""
    foreign = a_warning("x", flow=None, run_id=None, job_name="nightly", step=None)

    incident = stuck_incident([foreign], None, now=NOON)

    assert (incident.flow, incident.run_id, incident.job_id) == ("nightly", "", "x")
    assert "|Run>" not in shown(_told(incident))
    assert "its run" not in str(incident.error)


def test_jobs_are_told_by_run_the_most_pressing_first() -> None:
    """Whichever comes first in the list."""
    one = [a_warning("b", due=900), a_warning("a", due=None, why=Why.WAITS_ITS_TURN)]
    other = [a_warning("c", run_id="1767"), a_warning("d", run_id=None)]

    groups = by_run([*one[::-1], *other])

    assert sorted([each.waiting.id for each in group] for group in groups) == [
        ["b", "a"],
        ["c"],
        ["d"],
    ]
    assert by_run([*other, *one]) == groups


@pytest.mark.parametrize(
    ("warning", "is_news"),
    [
        (a_warning(), False),
        (a_warning("second"), True),
        (a_warning(due=None, why=Why.QUEUE_AT_FAULT), True),
        (a_warning(due=1200), True),
        (a_warning(attempts=(Attempt(exit_code=1),)), True),
    ],
    ids=["the same", "another job", "another verdict", "another time", "another attempt"],
)
def test_a_warning_changes_with_what_it_says(warning: Judged, *, is_news: bool) -> None:
    """Else it is the one that was told."""
    before, now_is = (stuck_incident([each], None, now=NOON) for each in (a_warning(), warning))

    assert before.id == now_is.id
    assert (before.failing != now_is.failing) is is_news


def _job(status: str, starting: float | None = None, **changes: Any) -> Job:
    event = a_job_event(status=status, time=after(600), **changes)
    return Job(ACCOUNT, event, NOON, None if starting is None else after(starting))


@pytest.mark.parametrize(
    ("job", "waits", "why"),
    [
        (_job("RUNNABLE"), True, None),
        (_job("RUNNABLE"), False, None),
        (_job("RUNNABLE", starting=-5), True, None),
        (_job("RUNNABLE", starting=30), True, STARTED),
        (_job("RUNNABLE", attempts=(Attempt(started_at=after(-9)),)), True, None),
        (_job("RUNNABLE", attempts=(Attempt(started_at=after(9)),)), True, STARTED),
        (_job("STARTING"), True, STARTED),
        (_job("RUNNING", starting=30), False, STARTED),
        (_job("SUCCEEDED"), False, STARTED),
        (_job("FAILED", started_at=after(9)), False, STARTED),
        (_job("FAILED", status_reason=f"{STALE_MARK}: too large"), False, CANCELLED),
        (_job("FAILED", status_reason=TIME_LIMIT_MARK), False, CANCELLED),
        (_job("FAILED", status_reason="Aborted by AWS Step Functions"), False, ENDED),
        (_job("PENDING"), False, None),
        (_job(LOST), False, NOT_WAITING),
        (_job(LOST), True, None),
        (None, True, None),
        (None, False, NOT_WAITING),
    ],
)
def test_a_warning_is_over_once_the_job_does_not_wait_any_more(
    job: Job | None, why: str | None, *, waits: bool
) -> None:
    """By what the ledger knows of it; only of a job it does not know, what Batch lists counts."""
    warning = stuck_incident([a_warning()], None, now=after(60))

    assert why_over(job, warning, waits=waits) == why


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (STARTED, "🟢 TrainFlow recovered in production after 10 min: the job started."),
        (
            CANCELLED,
            f"⚪ The warning about TrainFlow in production is over after 10 min: {CANCELLED}.",
        ),
    ],
)
def test_a_warning_that_came_true_is_no_recovery(by: str, words: str) -> None:
    """The run's own message tells of the failure."""
    warning = stuck_incident([a_warning()], None, now=NOON)
    over = msgspec.structs.replace(
        warning, state=State.RESOLVED, resolved_at=after(600), resolved_by=by
    )

    assert render_note(Due.RESOLVED, a_story(incident=over), now=NOON).text == words
    assert shown(_told(over)).startswith(words[:20])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.QUEUE_BLOCKED, "Queue TrainFlow in production is still blocked, for 1 day now"),
        (Kind.JOB_STUCK, "TrainFlow in production still has a job that does not start, for 1 day"),
    ],
)
def test_a_reminder_of_what_waits_has_its_own_words(kind: Kind, words: str) -> None:
    """Nothing is broken."""
    note = render_note(Due.REMINDER, a_story(kind=kind), now=after(90_000))

    assert note.text.startswith(f"{ANA} {words}")
