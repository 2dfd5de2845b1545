"""The log of the first root failure is read once, bounded, and without secrets."""

import msgspec
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.job_log import LogAbsence, LogTail
from ops_platform.domain.job_log_reading import SHOWN_BYTES, SHOWN_LINES, read_log
from ops_platform.domain.reasons import STALE_MARK
from ops_platform.domain.story import JobLog
from ops_platform_tests.build import a_failure
from ops_platform_tests.build_runs import a_job_history
from ops_platform_tests.fakes import FakeLogs
from ops_platform_tests.operations.explain_world import World

FAILURE = a_failure(60)
ROOT = a_job_history("root", exits=[1, 1], begin=5)
STREAM = str(ROOT[-1].log_stream)
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "flow.py", line 12, in work',
    "ValueError: password=hunter22 is wrong",
    "Task failed.",
]


@pytest.fixture
def world(emptied_ledger: Ledger) -> World:
    """Return a world in which a run has failed, and the ledger knows why."""
    world = World(emptied_ledger)
    world.arrive(*ROOT, FAILURE)
    return world


def _missing(absence: LogAbsence) -> JobLog:
    return JobLog(exception=None, tail=None, truncated=False, absence=absence)


def test_exception_and_tail_are_kept_without_secrets(world: World) -> None:
    """Of the last attempt, since that is the one that failed the run."""
    world.logs = FakeLogs({STREAM: TRACEBACK, str(ROOT[2].log_stream): ["an earlier attempt"]})

    assert world.explain() == ()

    log = world.log()
    assert log is not None
    assert log.exception == "ValueError: password=[redacted] is wrong"
    assert log.tail == "\n".join(TRACEBACK).replace("hunter22", "[redacted]")
    assert (log.truncated, log.absence) == (False, None)


def test_a_log_that_was_read_is_not_read_again(world: World) -> None:
    """It says the same, for as long as CloudWatch keeps it."""
    world.logs = FakeLogs({STREAM: TRACEBACK})
    world.explain()
    world.logs = FakeLogs({STREAM: ["another"]})
    world.explain()

    log = world.log()
    assert log is not None
    assert log.exception is not None


@pytest.mark.parametrize(
    "absence", [LogAbsence.MISSING, LogAbsence.EMPTY, LogAbsence.FORBIDDEN, LogAbsence.UNAVAILABLE]
)
def test_why_there_is_no_log_is_kept(world: World, absence: LogAbsence) -> None:
    """The alert says it; only where CloudWatch did not answer it is asked again."""
    world.logs = FakeLogs({}, absent={STREAM: absence})

    (said,) = world.explain()

    assert said == f"The log of the job root cannot be shown: {absence}."
    assert world.log() == _missing(absence)
    world.logs = FakeLogs({STREAM: ["ValueError: no"]})
    world.explain()
    log = world.log()
    assert (log == _missing(absence)) is (absence is not LogAbsence.UNAVAILABLE)


def test_a_job_that_never_started_has_no_log(emptied_ledger: Ledger) -> None:
    """CloudWatch is not asked for it, and nobody is told that there is none."""
    world = World(emptied_ledger)
    waiting = a_job_history("root", exits=[1], begin=5)[0]
    stopped_at = FAILURE.stopped_at
    end = msgspec.structs.replace(waiting, id="end", status="FAILED", stopped_at=stopped_at)
    world.arrive(end, FAILURE)

    assert world.explain() == ()
    assert world.log() is None


def test_what_could_not_start_in_the_end_has_no_log_that_tells(emptied_ledger: Ledger) -> None:
    """That of an attempt before would tell of something else."""
    world = World(emptied_ledger)
    before = ROOT[-1]
    stale = msgspec.structs.replace(before, status_reason=f"{STALE_MARK}: too big", cancelled=True)
    world.arrive(stale, FAILURE)
    world.logs = FakeLogs({STREAM: TRACEBACK})

    assert world.explain() == ()
    assert world.log() is None


def test_without_time_the_log_is_left_for_later(world: World) -> None:
    """Nothing is kept that would stand in its way."""
    world.logs = FakeLogs({STREAM: TRACEBACK})

    (said,) = world.explain(seconds=0)

    assert "time was up" in said
    assert world.log() is None
    world.explain()
    assert world.log() is not None


def test_another_log_group_may_be_named(world: World) -> None:
    """A compute environment may log elsewhere than Batch does by default."""
    world.logs = FakeLogs({STREAM: TRACEBACK}, log_group="/flows")
    world.explain()
    assert world.log() == _missing(LogAbsence.MISSING)


def test_what_is_kept_is_bounded() -> None:
    """The exception may stand far above what is shown."""
    noise = [f"saving {number} of many" for number in range(300)]

    log = read_log(LogTail(lines=(*TRACEBACK, *noise), truncated=False))

    assert log.exception is not None
    assert log.tail is not None
    assert len(log.tail.splitlines()) == SHOWN_LINES
    assert log.truncated
    wide = read_log(LogTail(lines=("x" * 60_000,), truncated=False))
    assert len((wide.tail or "").encode()) <= SHOWN_BYTES


@pytest.mark.parametrize(
    ("lines", "tail"),
    [
        (["\x1b[31mred\x1b[0m"], "red"),
        (["10 %\r50 %\r100 %"], "10 %\n50 %\n100 %"),
        (["a\x00b", "half \ud83d"], "ab\nhalf "),
        (["[MFLOG|0|2026-03-02T12:00:00.0Z|task|a1]a", ""], "a"),
        (["", "a", "", " "], "a"),
    ],
    ids=range(5),
)
def test_what_is_kept_can_be_stored_and_read(lines: list[str], tail: str) -> None:
    """Of what terminals and Metaflow add, nothing is left."""
    assert read_log(LogTail(lines=tuple(lines), truncated=False)).tail == tail


def test_what_metaflow_says_of_its_own_log_files_is_left_out() -> None:
    """It stands below the exception of every task; that it failed to keep the log is news."""
    told = [
        *TRACEBACK,
        "[save_logs] upload_start datastore=s3 files=[('stdout', '/logs/mflog_stdout', 412)]",
        "[save_logs] upload_failure datastore=s3 files=[] error=TimeoutError()",
        "[save_logs] upload_success datastore=s3 files=[] elapsed_seconds=0.898",
    ]
    tail = read_log(LogTail(tuple(told), truncated=False)).tail

    assert tail is not None
    assert tail.splitlines()[-2:] == [TRACEBACK[-1], told[-2]]


def test_a_log_of_blanks_is_empty() -> None:
    """There is nothing to show."""
    assert read_log(LogTail(lines=("", " "), truncated=False)) == _missing(LogAbsence.EMPTY)
