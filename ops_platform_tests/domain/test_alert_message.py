"""What an alert says: everything its reader needs, the most urgent first."""

import re
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.alert_message import Message, render, render_plain
from ops_platform.domain.incident_blocks import STEPS_SHOWN
from ops_platform.domain.incidents import Kind, Tally
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.routes import Severity
from ops_platform.domain.story import JobLog, Track
from ops_platform_tests.build import NOON, RUN
from ops_platform_tests.stories import (
    ANA,
    DAY,
    a_root_failure,
    a_story,
    check,
    shown,
)

NO_RUN: dict[str, Any] = {
    "run_id": "",
    "execution_arn": None,
    "started_at": None,
    "failed_jobs": 0,
    "collateral_jobs": 0,
    "steps": {},
    "step": None,
    "job_id": None,
    "log_stream": None,
}
NO_JOBS: dict[str, Any] = NO_RUN | {"run_id": f"sfn-{RUN}"}
LOG = JobLog("ValueError: 3 < 4", "begin\nTraceback:\nValueError: 3 < 4", True, None)  # noqa: FBT003


def _render(**changes: Any) -> Message:
    message = render(a_story(**changes), NOON)
    check(message, called=["U0ADA00001"])
    return message


def _lead(message: Message) -> str:
    return str(message.blocks[1]["text"]["text"])


def test_an_alert_names_all_that_a_reader_needs() -> None:
    """Owner, flow, project, branch, account, run, steps with counts, reason and error."""
    text = shown(_render(severity=Severity.CRITICAL))

    for part in (ANA, "TrainFlow", "`fraud` / `prod`", "`production`", f"sfn-{RUN}", "`ana`"):
        assert part in text
    assert "2 jobs failed in step `work`, 9 others were stopped with them, 1 succeeded." in text
    assert "*user exception* in step `work`: `Essential container in task exited" in text
    assert "*Severity* critical" in text


def test_the_notification_says_who_what_where_and_why() -> None:
    """In one line, with the exception if it is known."""
    assert _render(log=LOG).text == (
        f"{ANA} TrainFlow failed in production, step `work`: `ValueError: 3 &lt; 4`"
    )
    assert _render().text.endswith("`Essential container in task exited; exit code 1`")


@pytest.mark.parametrize(
    ("mention", "owner", "called"),
    [
        (ANA, "ana", f"{ANA} "),
        (None, "ana", "`ana`: "),
        (None, None, "Owner unknown: "),
        (ANA, None, f"{ANA} "),
    ],
)
def test_the_text_begins_with_whom_it_concerns(
    mention: str | None, owner: str | None, called: str
) -> None:
    """In the notification and in the message."""
    message = _render(mention=mention, owner=owner)

    assert message.text.startswith(called)
    assert _lead(message).startswith(called)


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (Kind.RUN_FAILED, "🔴 TrainFlow failed in production"),
        (Kind.RUN_TIMED_OUT, "🔴 TrainFlow timed out in production"),
        (Kind.RUN_ABORTED, "🔴 TrainFlow was aborted by a person in production"),
        (Kind.INTERACTIVE_FAILED, "🔴 TrainFlow failed in production, run by hand"),
        (Kind.MISSED_SCHEDULE, "🔴 TrainFlow did not start in production"),
        (Kind.QUEUE_BLOCKED, "🔴 Queue TrainFlow is blocked in production"),
        (Kind.JOB_STUCK, "🔴 A job of TrainFlow does not start in production"),
        (Kind.CHANGE_FAILED, "🔴 A change of TrainFlow in production failed"),
        (Kind.PLATFORM_STALLED, f"🔴 TrainFlow stands still in production: sfn-{RUN}"),
    ],
)
def test_the_headline_says_what_happened(kind: Kind, headline: str) -> None:
    """To which flow, and where."""
    assert _render(kind=kind).blocks[0]["text"]["text"] == headline


@pytest.mark.parametrize(
    ("severity", "sign"),
    [(Severity.CRITICAL, "🔴"), (Severity.WARNING, "🟠"), (Severity.INFO, "🔵"), (None, "🔴")],
)
def test_the_headline_shows_how_much_it_matters(severity: Severity | None, sign: str) -> None:
    """By a colour; the word stands among the facts."""
    assert _render(severity=severity).blocks[0]["text"]["text"].startswith(sign)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"failed_jobs": 1, "collateral_jobs": 0}, "1 job failed, 1 succeeded."),
        ({"failed_jobs": 1}, "1 job failed, 9 others were stopped with it, 1 succeeded."),
        ({"failed_jobs": 2, "collateral_jobs": 0, "steps": {}}, "2 jobs failed."),
        (
            {"failed_jobs": 10_000, "collateral_jobs": 1},
            "10,000 jobs failed, 1 other was stopped with them, 1 succeeded.",
        ),
        ({"failed_jobs": 0}, "No job failed by itself, 9 ended after the run had, 1 succeeded."),
        ({"failed_jobs": 0, "kind": Kind.RUN_ABORTED}, "9 jobs were stopped with it, 1 succeeded."),
        (NO_JOBS, "Which of its jobs failed is not known."),
    ],
)
def test_counts_read_as_sentences(counts: dict[str, Any], sentence: str) -> None:
    """One job, two jobs, ten thousand jobs, and none that is known."""
    assert sentence in shown(_render(**counts)).splitlines()


def test_failing_steps_are_listed_if_there_are_several() -> None:
    """One alone has been named by then, unless not all failures are known to be in it."""
    work, join = Tally(failed=2, collateral=9, succeeded=1), Tally(failed=1)
    one, two = (
        shown(_render(steps=steps)) for steps in ({"work": work}, {"work": work, "j": join})
    )

    assert "Failing steps" not in one
    assert "*Failing steps*\n• `work` 2 failed, 9 stopped with them, 1 succeeded\n• `j`" in two
    assert "*Failing steps*\n• `work` 2 failed" in shown(_render(failed_jobs=3))


def test_of_many_steps_the_worst_are_shown_and_the_others_counted() -> None:
    """Steps without a root failure are not failing steps."""
    steps = {f"step{number}": Tally(failed=number, collateral=1) for number in range(31)}

    text = shown(_render(steps=steps))

    assert text.index("`step30` 30 failed") < text.index("`step29` 29 failed")
    assert f"… and {30 - STEPS_SHOWN} more steps" in text
    assert "`step0`" not in text


def test_the_first_failure_is_shown_with_the_end_of_its_log() -> None:
    """As a block of code, with how each attempt ended and what Batch says."""
    job = a_root_failure(0, exits=(1, 137), status_reason="Host EC2 (instance i-0a) terminated.")

    text = shown(_render(log=LOG, job=job))

    ended = "2 attempts: exit 1, exit 137 (SIGKILL): `Host EC2"
    assert f"*First failed job* `5b0e9d3c-job`, on host `00000000`, {ended}" in text
    assert "```\nbegin\nTraceback:\nValueError: 3 &lt; 4\n```" in text


@pytest.mark.parametrize("log", [None, LOG], ids=["no log", "a log"])
def test_of_a_failure_alone_the_message_says_what_a_page_would(log: JobLog | None) -> None:
    """Its host, its attempts and its exit code, whether or not the exception is known."""
    alone = {"failed_jobs": 1, "steps": {"work": Tally(failed=1)}, "log": log}

    once, twice = (
        shown(_render(job=a_root_failure(0, exits=exits), **alone)) for exits in ((3,), (1, 3))
    )

    assert "*Failed job* `5b0e9d3c-job`, on host `00000000`, exit code 3\n" in once
    assert "`, on host `00000000`, 2 attempts: exit 1, exit 3\n" in twice


def test_without_the_job_the_error_in_batchs_words_is_shown_once() -> None:
    """In the lead, unless that has the exception."""
    error = "`Essential container in task exited; exit code 1`"

    assert shown(_render()).count(error) == 2  # in the notification and in the lead
    assert f"*First failed job* `5b0e9d3c-job`, {error}" in shown(_render(log=LOG))


@pytest.mark.parametrize("absence", LogAbsence)
def test_a_log_that_is_not_there_is_not_missed_in_silence(absence: LogAbsence) -> None:
    """The message says why there is none."""
    log = JobLog(None, None, truncated=False, absence=absence)

    assert re.search(r"\n(Its log|CloudWatch has no log) [\w :]+\.", shown(_render(log=log)))


def test_of_a_long_log_the_end_is_shown() -> None:
    """That is where the exception stands."""
    tail = "\n".join(f"line {number}" for number in range(1000))

    text = shown(_render(log=JobLog(None, tail, truncated=True, absence=None)))

    assert "line 999\n```" in text
    assert "line 1\n" not in text


def test_of_a_log_the_frames_of_metaflow_are_left_out() -> None:
    """Who reads the message wants to see the flow's."""
    tail = 'Traceback:\n  File "/metaflow/metaflow/cli.py", line 1, in main\n    f()\nKeyError: 7'

    text = shown(_render(log=JobLog("KeyError: 7", tail, truncated=False, absence=None)))

    assert "```\nTraceback:\n  … 1 frame of Metaflow\nKeyError: 7\n```" in text


def test_a_missed_start_is_told_in_its_own_words() -> None:
    """There is no run, so there are no jobs and no link to one."""
    error = "The rule nightly, cron(0 2 * * ? *), should have started a run at 02:00 UTC."
    message = _render(
        kind=Kind.MISSED_SCHEDULE, reason="missed schedule", error=error, **NO_RUN, track=None
    )

    assert message.text == f"{ANA} TrainFlow did not start in production: {error}"
    assert _lead(message) == f"{ANA} *missed schedule*: {error}"
    assert "*Expected* <!date" in shown(message)
    assert not re.search(r"\bjobs?\b|\|Run>|\*Run\*", shown(message))


def test_a_stalled_platform_is_told_in_its_own_words() -> None:
    """Nobody owns it, and it has neither runs nor a history."""
    check_of = {**NO_RUN, "run_id": "ingest", "owner": None, "failed_jobs": 1}
    message = _render(
        kind=Kind.PLATFORM_STALLED,
        reason="stalled",
        error="31 min behind.",
        mention=None,
        **check_of,
    )

    assert message.text == "TrainFlow stands still in production: ingest: 31 min behind."
    assert _lead(message) == "*stalled*: 31 min behind."
    assert "*Check* `ingest`" in shown(message)
    assert not re.search(r"\bjobs?\b|\|Run>|\|History>", shown(message))


@pytest.mark.parametrize(
    ("error", "end"), [("wrong input", ": `wrong input`"), (None, ", no cause was given")]
)
def test_who_aborts_a_run_may_say_why(error: str | None, end: str) -> None:
    """The cause that was given, or that there is none."""
    message = _render(**NO_JOBS, kind=Kind.RUN_ABORTED, reason="aborted by a person", error=error)

    assert message.text == f"{ANA} TrainFlow was aborted by a person in production{end}"
    assert _lead(message) == f"{ANA} *aborted by a person*{end}"


def test_a_message_in_another_channel_says_which_it_was_meant_for() -> None:
    """Else nobody there would know why it came to them."""
    assert "Meant for `#fraud`, which cannot be posted to." in shown(_render(meant_for="#fraud"))


def test_a_plain_message_has_the_essentials_as_text() -> None:
    """Without the headline, which the text repeats."""
    plain = render_plain(_render(log=LOG, track=Track(3, NOON - DAY, None)))

    assert plain.blocks == ()
    for part in (
        "TrainFlow failed",
        "2 jobs failed",
        "*3rd failure",
        "in step `work`",
        "```",
        "|Run>",
    ):
        assert plain.text.count(part) >= 1
    assert plain.text.count("user exception") == 0
    assert "🔴" not in plain.text


def test_a_plain_message_leaves_out_what_has_no_room() -> None:
    """Whole paragraphs, so that no block of code stays open; and it can be made plain again."""
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2500}}
    small = {"type": "section", "text": {"type": "mrkdwn", "text": "the end"}}

    plain = render_plain(Message("text", [block, block, block, small]))

    assert plain.text == f"text\n{'x' * 2500}\nthe end"
    assert render_plain(plain) == plain


def test_time_that_passes_is_no_news() -> None:
    """The same story told later is the same message, within a year."""
    story = a_story(log=LOG, track=Track(2, None, NOON - 2 * DAY), severity=Severity.INFO)

    assert render(story, NOON) == render(story, NOON + timedelta(days=200))
