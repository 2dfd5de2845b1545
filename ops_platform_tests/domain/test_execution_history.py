"""An execution's history tells which jobs failed, whatever is cut off or missing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.execution_history import History, HistoryReader
from ops_platform.domain.job_descriptions import job_event_of, read_cause, salvage
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.reasons import Reason, classify, explain
from ops_platform_tests import nasty
from ops_platform_tests.build import EXECUTION_ARN, a_failed_job, a_job_event, after
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.domain.history_events import HistoryScript, cause_of, described

ASKED = {
    "JobName": "SFN-TrainFlow--work--",
    "JobQueue": "flows",
    "JobDefinition": "arn:aws:batch:::job-definition/metaflow_9f2c:1",
    "Parameters": {
        "metaflow.user": "SFN",
        "metaflow.owner": "deploy-robot",
        "metaflow.flow_name": "TrainFlow",
        "metaflow.step_name": "work",
        "metaflow.run_id": "6f0c",
        "metaflow.production_token": "secret",
    },
    "ContainerOverrides": {
        "Command": ["bash", "-c", "python flow.py step work --tag owner:ana"],
        "Environment": [{"Name": "METAFLOW_SERVICE_HEADERS", "Value": "secret"}],
    },
}
JOB = a_job_history("root", exits=[1, 1], begin=5)[-1]


def _read(script: HistoryScript, size: int = 1000) -> History:
    reader = HistoryReader(EXECUTION_ARN)
    for page in script.pages(size):
        if not reader.read(page):
            break
    return reader.result()


def _one_failure(cause: str | None, **more: str) -> History:
    script = HistoryScript()
    script.failed(cause, previous=script.submitted("root", ASKED), **more)
    script.ended(error="States.TaskFailed", cause=cause or "")
    return _read(script)


def test_a_whole_cause_is_the_job_as_its_event_told() -> None:
    """Every field but the id and the time, which tell where it comes from."""
    (failed,) = _one_failure(cause_of(JOB)).failed

    same = {"id": JOB.id, "time": JOB.time}
    assert Job("a", a_job_event(**{**_fields(failed), **same})) == Job("a", JOB)
    assert failed.id == f"api:root:FAILED:{int(JOB.stopped_at.timestamp() * 1000)}"  # type: ignore[union-attr]


def _fields(job: Any) -> dict[str, Any]:
    return {name: getattr(job, name) for name in job.__struct_fields__}


@pytest.mark.parametrize("kept", [10, 200, 600, 900])
def test_of_a_cause_that_was_cut_off_the_task_tells_the_job(kept: int) -> None:
    """The task's own events name the job, its step and its owner."""
    history = _one_failure(cause_of(JOB)[:kept])

    (failed,) = history.failed
    assert (failed.job_id, failed.status) == ("root", "FAILED")
    assert (failed.flow, failed.step, failed.run_id) == ("TrainFlow", "work", "sfn-6f0c")
    assert (failed.owner, failed.queue) == ("ana", "flows")
    assert failed.stopped_at
    assert failed.id.startswith("api:history:root:FAILED:")
    assert "secret" not in repr(history)


def test_attempts_are_saved_from_a_cause_that_was_cut_off() -> None:
    """They come first, and with them the exit code."""
    cause = cause_of(JOB)

    (failed,) = _one_failure(cause[: cause.index('"Environment"')]).failed

    assert [attempt.exit_code for attempt in failed.attempts] == [1, 1]
    assert classify(failed) is Reason.USER_EXCEPTION


@pytest.mark.parametrize(
    ("cause", "more", "told"),
    [
        ("Host EC2 (instance i-0a1b) terminated.", {}, "host lost"),
        ("Somebody's words", {}, "Somebody's words; no exit code"),
        ("", {}, "States.TaskFailed; no exit code"),
        (None, {}, "States.TaskFailed; no exit code"),
        (None, {"kind": "TaskTimedOut", "error": "States.Timeout"}, "States.Timeout; no exit code"),
    ],
    ids=range(5),
)
def test_a_cause_in_plain_text_is_the_reason(
    cause: str | None, more: dict[str, str], told: str
) -> None:
    """There may be none at all."""
    (failed,) = _one_failure(cause, **more).failed

    assert told in {explain(failed), str(classify(failed))}


def test_a_whole_cause_may_lack_an_exit_code() -> None:
    """A job that never started has none."""
    job = a_failed_job("root", exit_code=None, status_reason="Task failed to start").latest

    (failed,) = _one_failure(cause_of(job)).failed

    assert (failed.exit_code, classify(failed)) == (None, Reason.COULD_NOT_START)


def test_a_task_that_ran_no_job_is_told_by_the_execution() -> None:
    """Metaflow asks DynamoDB for the width of a foreach."""
    script = HistoryScript()
    script.failed("Too fast.", previous=1, error="DynamoDB.Throttled", resource="dynamodb")
    script.ended(error="DynamoDB.Throttled", cause="Too fast.")

    assert _read(script) == History(error="DynamoDB.Throttled", cause="Too fast.")


def test_a_job_that_was_submitted_in_the_end_did_not_fail_to_be() -> None:
    """Step Functions tries ten times; only where no job failed was it the submission."""
    script = HistoryScript()
    script.failed(
        "Slow down.", previous=1, kind="TaskSubmitFailed", error="Batch.AWSBatchException"
    )
    script.failed(cause_of(JOB), previous=script.submitted("root", ASKED))
    script.ended(error="States.TaskFailed", cause="")

    assert _read(script).error == "States.TaskFailed"


def test_what_failed_before_a_redrive_is_left_out() -> None:
    """It belongs to an earlier failure."""
    script = HistoryScript()
    script.failed(cause_of(JOB), previous=script.submitted("root", ASKED))
    script.ended(error="States.TaskFailed", cause="")
    script.event("ExecutionRedriven")
    again = a_job_event(job_id="again", status="FAILED", stopped_at=after(90))
    script.failed(cause_of(again), previous=script.submitted("again", ASKED))
    script.ended(error="States.TaskFailed", cause="")

    assert [job.job_id for job in _read(script).failed] == ["again"]


def test_no_more_is_read_than_the_failure_takes() -> None:
    """It stands at the end, and a history may have 25,000 events."""
    script = HistoryScript()
    early = script.submitted("early", ASKED)
    for number in range(5000):
        script.submitted(f"job-{number}", ASKED)
    script.failed(cause_of(JOB), previous=script.submitted("root", ASKED))
    script.ended(error="States.TaskFailed", cause="")

    assert len(_read(script).job_ids) < 600

    script.failed("cut off {", previous=early)
    script.ended(error="States.TaskFailed", cause="")

    history = _read(script)
    assert [job.job_id for job in history.failed] == ["root", "early"]
    assert len(history.job_ids) == 5002


def test_children_of_a_distributed_map_add_what_they_tell() -> None:
    """The parent says only that too many failed."""
    failed = (a_job_event(status="FAILED"),)
    parent = History(error="States.ExceedToleratedFailureThreshold", cause="Too many.")
    child = History(failed=failed, job_ids=("a",), error="States.TaskFailed", cause="x")

    whole = parent.with_children([child, History(truncated=True)])

    assert whole == History(failed, ("a",), "States.TaskFailed", "x", truncated=True)
    assert child.with_children([History(error="Other")]).error == "States.TaskFailed"


@given(st.binary() | nasty.values)
def test_nothing_in_a_history_is_an_error(told: Any) -> None:
    """Whatever stands where a document should."""
    text = json.dumps(told) if not isinstance(told, bytes) else told.decode(errors="replace")

    for cause in (text, f'{{"JobId": {json.dumps(text)}, "Attempts": {text}'):
        history = _one_failure(cause)
        assert all(job.status == "FAILED" or job.job_id != "root" for job in history.failed)
        assert isinstance(salvage(cause), dict)


@given(nasty.values)
def test_no_description_is_an_error(value: Any) -> None:
    """A job we do not understand is none."""
    fields = {"jobId": "x", "status": value, "stoppedAt": value, "attempts": value}
    for told in (value, fields, {"jobQueue": "a:b:c:r:111111111111:q", **fields}):
        if isinstance(told, dict):
            event = job_event_of(told)
            assert event is None or event.job_id


def test_what_no_text_can_hold_is_replaced() -> None:
    """As it is in an event; Postgres would refuse it."""
    told = job_event_of(described(JOB) | {"statusReason": "half \ud83d of a pair\x00"})

    assert told
    assert told.status_reason == "half \ufffd of a pair\ufffd"


def test_the_end_of_an_execution_is_told_as_its_event_would_tell_it() -> None:
    """Whoever stops an execution writes both texts, and Postgres stores whatever comes of them."""
    script = HistoryScript()
    script.ended("ExecutionAborted", error="password=secret", cause="half \ud83d of a pair\x00")
    told = _read(script)

    assert (told.error, told.cause) == ("password=[redacted]", "half \ufffd of a pair\ufffd")


def test_a_job_that_waits_again_has_waited_since_its_last_attempt() -> None:
    """No field of Batch's tells, and it was created long before."""
    waiting = a_job_history("root", exits=[1, 1], begin=5)[3]

    told = job_event_of(described(waiting))

    assert (waiting.status, told and told.time) == ("RUNNABLE", waiting.attempts[-1].stopped_at)


@pytest.mark.parametrize("cause", ["", "text", "[]", "{}", '{"JobId": "x"', "[" * 100_000])
def test_what_describes_no_job_is_no_job(cause: str) -> None:
    """A plain text, or what was cut off."""
    assert read_cause(cause) is None
