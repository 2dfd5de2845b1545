"""What is said of a job that could not start, in the place of a stack trace."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ops_platform.domain.alert_message import Message, render, render_plain
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.events import Attempt
from ops_platform.domain.incidents import Kind, Tally
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.reasons import STALE_MARK, TIME_LIMIT_MARK
from ops_platform.domain.routes import Severity, Stage, severity
from ops_platform.domain.standstill import Standstill, told_by_batch
from ops_platform.domain.story import JobLog
from ops_platform_tests.build import NOON, a_failed_job, an_incident
from ops_platform_tests.stories import ANA, a_story, check, shown

SENTENCE = "The job asks for 999 vCPUs; the most that queue flows has is 4 vCPUs (r5.xlarge)."
ADVICE = "Ask for at most 4 vCPUs: @resources(cpu=4, memory=4096)."
HELD_UP = Standstill(
    sentence=SENTENCE,
    advice=ADVICE,
    cause="too many vCPUs",
    evidence=(Figure("vCPUs", "999", "at most 4 (r5.xlarge)"),),
    waited=timedelta(minutes=15, seconds=12),
    policy="rule 2",
    job_id="5b0e9d3c-job",
    step="work",
    queue="flows",
)
STALE: dict[str, Any] = {
    "reason": "cancelled as stale",
    "failed_jobs": 1,
    "steps": {"work": Tally(failed=1, collateral=9)},
    "log_stream": None,
    "standstill": HELD_UP,
}
STOPPED: dict[str, Any] = STALE | {
    "kind": Kind.RUN_ABORTED, "failed_jobs": 0, "steps": {}, "step": None, "job_id": None,
}  # fmt: skip
WAITING = a_failed_job("5b0e9d3c-job", exit_code=None, cancelled=True)


def _render(**changes: Any) -> Message:
    message = render(a_story(**changes), NOON)
    check(message, called=["U0ADA00001"])
    return message


def _headline(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def test_the_message_says_why_what_to_change_and_what_was_compared() -> None:
    """And for how long it waited, where, and by which policy it was judged."""
    text = shown(_render(**STALE, job=WAITING))

    assert f"{ANA} *cancelled as stale* in step `work`: too many vCPUs\n" in text
    assert (
        f"*Why it could not start*\n{SENTENCE}\n*What to change*\n{ADVICE}\n"
        "*Compared*\n• vCPUs: wanted 999, found at most 4 (r5.xlarge)\n"
    ) in text
    assert "`5b0e9d3c-job` waited for 15 min 12 s in queue `flows` · policy `rule 2`" in text
    assert "1 job failed in step `work`, 9 others were stopped with it." in text


def test_the_notification_has_the_whole_diagnosis() -> None:
    """It is all that many will read."""
    message = _render(**STALE)

    start = "TrainFlow failed in production: a job could not start, step `work`"
    assert message.text == f"{ANA} {start}: {SENTENCE}"
    assert ADVICE in render_plain(message).text


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        (STALE, "🔴 TrainFlow failed in production: a job could not start"),
        (STOPPED, "🔴 TrainFlow was stopped in production: a job could not start"),
        (
            STALE | {"kind": Kind.INTERACTIVE_FAILED},
            "🔴 TrainFlow failed in production, run by hand: a job could not start",
        ),
        (
            STALE | {"reason": "cancelled by a time-limit action"},
            "🔴 TrainFlow failed in production: a job could not start",
        ),
        (STALE | {"kind": Kind.RUN_TIMED_OUT}, "🔴 TrainFlow timed out in production"),
    ],
)
def test_the_headline_says_that_a_job_could_not_start(
    changes: dict[str, Any], headline: str
) -> None:
    """Also of a run that was stopped for it, which no person did."""
    assert _headline(_render(**changes)) == headline


def test_a_run_that_was_stopped_names_the_step_whose_job_could_not_start() -> None:
    """Which the record knows, though no job of the run failed by itself."""
    message = _render(**STOPPED)

    assert "*cancelled as stale* in step `work`: too many vCPUs" in shown(message)
    assert "9 jobs were stopped with it." in shown(message)
    assert "*Stopped* <!date" in shown(message)
    assert "person" not in shown(message)


def test_nothing_is_said_of_a_log_or_a_task_that_cannot_be() -> None:
    """The container never began, so that Metaflow does not know the task either."""
    missing = JobLog(None, None, truncated=False, absence=LogAbsence.MISSING)

    text = shown(_render(**STALE, job=WAITING, log=missing))

    for part in ("log", "exit code", "|First failed task>", "Failed job"):
        assert part not in text


def test_an_exception_of_an_attempt_before_is_not_why_it_failed() -> None:
    """How that attempt ended is told, by the way."""
    before = a_failed_job(cancelled=True, attempts=(Attempt(exit_code=7),), exit_code=7)

    text = shown(
        _render(**STALE, job=before, log=JobLog("KeyError: 7", "x", truncated=True, absence=None))
    )

    assert "KeyError" not in text
    assert "before that: exit code 7" in text


def test_a_job_that_a_person_cancelled_while_it_waited_has_no_log_to_miss() -> None:
    """Nobody laments that there is none."""
    missing = JobLog(None, None, truncated=False, absence=LogAbsence.MISSING)
    job = a_failed_job(exit_code=None, cancelled=True, status_reason="Too expensive.")

    assert "CloudWatch" not in shown(_render(reason="aborted by a person", job=job, log=missing))


@pytest.mark.parametrize(
    ("said", "sentence", "advice"),
    [
        (
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
            "AWS has no such instances to give",
            "Add more instance types",
        ),
        (
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "Batch finds the maximum vCPUs of every compute environment too low",
            "Raise maxvCpus",
        ),
        (
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
            "Batch finds that no instance of the queue's compute environments is large enough.",
            "Ask for less in the step's @resources",
        ),
        ("something new", "Canceled by JobStateTimeLimit action due to reason:", ""),
    ],
)
def test_what_a_queues_own_rule_cancelled_says_what_that_means(
    said: str, sentence: str, advice: str
) -> None:
    """In plain words beside AWS's own, with what the job had asked for."""
    job = msgspec.structs.replace(a_failed_job(vcpus=999.0), runnable_at=NOON)
    held_up = told_by_batch(f"{TIME_LIMIT_MARK} due to reason: {said}", job)

    text = shown(_render(**STALE | {"standstill": held_up}))

    assert (held_up.cause, held_up.policy) == (said if advice else None, None)
    assert held_up.sentence.startswith(sentence)
    assert held_up.advice.startswith(advice)
    assert held_up.sentence in text
    assert (
        "`failed` waited for 30 s in queue `flows` · it asked for 999 vCPUs and 4,096 MiB" in text
    )


def test_without_a_record_our_own_reason_tells() -> None:
    """As when the ledger is a new one."""
    said = "RUNNABLE for 15 min, and it can never start. It asks for too much. (policy: default)"

    held_up = told_by_batch(f"{STALE_MARK}: {said}", None)

    assert held_up == Standstill(sentence=said)
    assert said in shown(_render(**STALE | {"standstill": held_up}))


def test_only_so_many_figures_are_shown() -> None:
    """However many environments a queue has."""
    many = tuple(Figure(f"environment {at}", "ENABLED", "DISABLED") for at in range(30))

    text = shown(_render(**STALE | {"standstill": replace(HELD_UP, evidence=many)}))

    assert text.count("wanted ENABLED, found DISABLED") == 8


def test_a_run_that_we_stopped_matters_as_much_as_one_that_failed() -> None:
    """Unlike one that a person aborted."""
    by_us = an_incident(kind=Kind.RUN_ABORTED, reason="cancelled as stale")

    assert severity(by_us, Stage.PRODUCTION) is Severity.CRITICAL
    assert severity(an_incident(kind=Kind.RUN_ABORTED), Stage.PRODUCTION) is Severity.WARNING
