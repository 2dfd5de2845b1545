"""What a message shows of a log: the flow's own frames, whole ones, and always the exception."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.log_excerpt import excerpt
from ops_platform.domain.story import JobLog
from ops_platform.domain.traceback import exception_line

WIDE = 100_000
CLI = '  File "/metaflow/.mf_code/metaflow/cli.py", line 744, in main'
TASK = """\
  File "/metaflow/metaflow/task.py", line 63, in _exec_step_function
    step_function()
    ~~~~~~~~~~~~~^^"""
OURS = """\
  File "/metaflow/train.py", line 12, in work
    fit(rows)
    ~~~^^^^^^"""
HEAD = "Traceback (most recent call last):"
DIED = "ValueError: negative demand: -3"


def _shown(*lines: str, limit: int = WIDE, truncated: bool = False) -> str:
    log = JobLog(None, "\n".join(lines), truncated=truncated, absence=None)
    return excerpt(log, limit).removeprefix("```\n").removesuffix("\n```")


def test_metaflows_own_frames_are_counted_and_the_flows_are_shown() -> None:
    """With source and marks, each run of them as one line."""
    lines = ("begin", HEAD, CLI, TASK, OURS, TASK, DIED, "end")

    assert _shown(*lines).splitlines() == [
        "begin",
        HEAD,
        "  … 2 frames of Metaflow",
        *OURS.splitlines(),
        "  … 1 frame of Metaflow",
        DIED,
        "end",
    ]


@pytest.mark.parametrize(
    ("path", "is_metaflows"),
    [
        ("/usr/lib/python3.12/site-packages/metaflow/decorators.py", True),
        ("/usr/lib/python3/dist-packages/metaflow/cli.py", True),
        ("/metaflow/.mf_code/metaflow/cli.py", True),
        (".mf_code/metaflow/cli.py", True),
        ("/metaflow/metaflow/plugins/aws/batch/batch.py", True),
        ("/metaflow/train.py", False),
        ("/metaflow/.mf_code/train.py", False),
        ("/usr/lib/python3.12/site-packages/metaflow_extensions/x.py", False),
        ("/usr/lib/python3.12/site-packages/pandas/core/frame.py", False),
        ("train.py", False),
    ],
)
def test_whose_a_frame_is_follows_from_its_file(path: str, *, is_metaflows: bool) -> None:
    """A flow lies beside Metaflow, not in it."""
    shown = _shown(HEAD, f'  File "{path}", line 1, in f', "    f()", DIED)

    assert ("… 1 frame of Metaflow" in shown) == is_metaflows
    assert (path in shown) != is_metaflows


def test_frames_of_an_exception_group_have_its_margin() -> None:
    """So has what stands for them; what comes after a frame is not of it."""
    shown = _shown(
        f"  + Exception Group {HEAD}",
        '  |   File "/metaflow/metaflow/task.py", line 1, in g',
        "  |     raise group",
        "  | ExceptionGroup: two went wrong (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
    )

    assert shown.splitlines()[1:3] == [
        "  |   … 1 frame of Metaflow",
        "  | ExceptionGroup: two went wrong (2 sub-exceptions)",
    ]


def test_a_frame_that_python_repeats_counts_as_often() -> None:
    """The line that says so would else speak of another frame."""
    shown = _shown(HEAD, TASK, "  [Previous line repeated 996 more times]", OURS, DIED)

    assert shown.splitlines()[1:3] == ["  … 997 frames of Metaflow", OURS.splitlines()[0]]


@pytest.mark.parametrize("frame", [TASK, OURS], ids=["Metaflow's", "the flow's"])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_frame_that_was_cut_off_is_left_out(frame: str, cut: int) -> None:
    """The first lines of a stored tail may be the rest of a frame."""
    rest = frame.splitlines()[cut:]

    assert _shown(*rest, OURS, DIED, truncated=True).splitlines() == [*OURS.splitlines(), DIED]
    assert _shown(*rest, DIED, truncated=True) == DIED


def test_other_lines_that_are_indented_are_no_rest_of_a_frame() -> None:
    """Nor is anything where the log begins."""
    assert _shown("    a: 1", "    b: 2", HEAD, OURS, DIED, truncated=True).startswith("    a: 1")
    assert _shown("    a: 1", OURS, DIED).startswith("    a: 1")


def test_the_end_that_has_room_begins_with_a_whole_frame() -> None:
    """Never with the source or the marks of one."""
    for room in range(20, 220):
        shown = _shown(HEAD, OURS, OURS, DIED, limit=room + 8)

        assert len(shown) <= room
        assert shown.endswith(DIED if room >= len(DIED) else "…")
        assert shown.startswith((HEAD, '  File "/metaflow/train', "ValueError"))


def test_room_is_measured_in_what_is_shown() -> None:
    """A character that is escaped needs more, a frame that is left out needs none."""
    assert _shown("<<<<", "last", limit=8 + 4 + 16) == "last"
    assert _shown(*[TASK] * 99, DIED, limit=90).splitlines() == ["  … 99 frames of Metaflow", DIED]


_others = st.sampled_from(
    ["", "begin", "    indented", "Task failed.", "  [Previous", "^^^^", "| x"]
)
_lines = st.lists(_others | st.sampled_from([HEAD, CLI, TASK, OURS, DIED]), max_size=12)


@given(_lines, st.booleans())
def test_the_exception_is_never_left_out(lines: list[str], truncated: bool) -> None:  # noqa: FBT001
    """Whatever stands around it; and no frame of the flow's either."""
    text = "\n".join([*lines, HEAD, CLI, OURS, TASK, DIED])
    shown = _shown(text, truncated=truncated)

    assert exception_line(shown.splitlines()) == exception_line(text.splitlines()) == DIED
    assert shown.count(OURS) == text.count(OURS)
    assert "/metaflow/cli.py" not in shown
    assert _shown(text, truncated=truncated) == shown


@pytest.mark.parametrize(
    "line", ["    x" * 2000, " " * 8000, '  File "' * 1200, "~" * 8000, "|" * 8000, TASK, OURS]
)
def test_it_takes_time_in_proportion(line: str) -> None:
    """Whatever a flow prints."""
    begun = time.process_time()
    _shown(*[line] * 500, truncated=True, limit=2000)

    assert time.process_time() - begun < 2
