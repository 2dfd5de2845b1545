"""The line of a log that says what a task died of."""

import time
import traceback
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.traceback import LINE_LIMIT, exception_line, readable

LOGS: dict[str, tuple[str, str | None]] = {
    "a plain one, and Metaflow's own lines": (
        """
        Task is starting.
        <flow TrainFlow step work> failed:
            Internal error
        Traceback (most recent call last):
          File "/metaflow/cli.py", line 744, in main
            start(auto_envvar_prefix="METAFLOW", obj=state)
          File "flow.py", line 12, in work
            fit(rows)
            ~~~^^^^^^
        ValueError: negative demand: -3

        Task failed.
        """,
        "ValueError: negative demand: -3",
    ),
    "chained": (
        """
        Traceback (most recent call last):
          File "flow.py", line 9, in work
        KeyError: 'price'

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "flow.py", line 11, in work
            raise MissingPriceError("none for 7") from error
        shop.prices.MissingPriceError: none for 7
        """,
        "shop.prices.MissingPriceError: none for 7",
    ),
    "logged, and then another": (
        """
        Traceback (most recent call last):
          File "a.py", line 1, in f
        OSError: tried again
        all is well
        Traceback (most recent call last):
          File "b.py", line 1, in f
          [Previous line repeated 996 more times]
        RecursionError: maximum recursion depth exceeded
        """,
        "RecursionError: maximum recursion depth exceeded",
    ),
    "of several lines": (
        """
        Traceback (most recent call last):
          File "b.py", line 1, in f
        sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedTable) no relation
        LINE 1: select * from nothing
                              ^
        Error: not this one
        """,
        "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedTable) no relation",
    ),
    "without a message": (
        """
        Traceback (most recent call last):
          File "b.py", line 1, in f
        f.<locals>.StoppedError
        """,
        "f.<locals>.StoppedError",
    ),
    "an exception group": (
        """
          + Exception Group Traceback (most recent call last):
          |   File "b.py", line 1, in <module>
          |     raise ExceptionGroup("two went wrong", [ValueError(1), TypeError(2)])
          | ExceptionGroup: two went wrong (2 sub-exceptions)
          +-+---------------- 1 ----------------
            | ValueError: 1
            +---------------- 2 ----------------
            | Traceback (most recent call last):
            |   File "b.py", line 1, in g
            | TypeError: 2
            +------------------------------------
        Task failed.
        """,
        "ExceptionGroup: two went wrong (2 sub-exceptions)",
    ),
    "a file that is no Python, imported": (
        """
        Traceback (most recent call last):
          File "flow.py", line 1, in <module>
            import helpers
          File "/flow/helpers.py", line 3
            def f(:
                  ^
        SyntaxError: invalid syntax
        """,
        "SyntaxError: invalid syntax",
    ),
    "a file that is no Python, run": (
        """
          File "/flow/flow.py", line 3
            def f(:
                  ^
        SyntaxError: invalid syntax
        """,
        "SyntaxError: invalid syntax",
    ),
    "an exception of Metaflow's, which it shows without a traceback": (
        """
        <flow TrainFlow step work> failed:
            S3 access denied:
            s3://bucket/data
            more of it

        """,
        "S3 access denied: s3://bucket/data",
    ),
    "decorated by Metaflow": (
        """
        [MFLOG|0|2026-03-02T12:00:00.000000Z|task|a1b2]Traceback (most recent call last):
        [MFLOG|0|2026-03-02T12:00:00.000000Z|task|a1b3]  File "b.py", line 1, in f
        [![MFLOG|0|2026-03-02T12:00:00.000000Z|task|a1b4]ZeroDivisionError: division by zero
        """,
        "ZeroDivisionError: division by zero",
    ),
    "in colours": (
        """
        \x1b[31mTraceback (most recent call last):\x1b[0m
          File \x1b[35m"b.py"\x1b[0m, line 1, in f
        \x1b[1;31mValueError\x1b[0m: \x1b[35mno\x1b[0m
        """,
        "ValueError: no",
    ),
    "with another process between its lines": (
        """
        Traceback (most recent call last):
          File "b.py", line 1, in f
        12 of 40 rows done.
        ValueError: no
        """,
        "ValueError: no",
    ),
    "what is ignored does not count beside another": (
        """
        Traceback (most recent call last):
          File "b.py", line 1, in f
        ValueError: no
        Exception ignored in: <function Pool.__del__ at 0x7f>
        Traceback (most recent call last):
          File "pool.py", line 1, in __del__
        AttributeError: 'Pool' object has no attribute 'x'
        """,
        "ValueError: no",
    ),
    "what is ignored is better than nothing": (
        """
        Exception ignored in: <function Pool.__del__ at 0x7f>
        Traceback (most recent call last):
          File "pool.py", line 1, in __del__
        AttributeError: no
        """,
        "AttributeError: no",
    ),
    "killed after an exception that was logged": (
        """
        Traceback (most recent call last):
          File "b.py", line 1, in f
        ValueError: skipped
        bash: line 1:    12 Killed                  python -u flow.py --tag owner:ana step work
        """,
        "Killed",
    ),
    "a segmentation fault": ("loading\nSegmentation fault (core dumped)", None),
    "by faulthandler": (
        """
        Fatal Python error: Segmentation fault

        Current thread 0x00007f (most recent call first):
          File "b.py", line 3 in f
        """,
        "Fatal Python error: Segmentation fault",
    ),
    "cut off above": ("    fit(rows)\nValueError: no\nTask failed.", "ValueError: no"),
    "no Python": ("\n/bin/bash: line 1: conda: command not found\n\n", None),
    "no module": ("/usr/bin/python: No module named metaflow", None),
    "R": ("Error in fit(rows) : object 'rows' not found\nExecution halted", None),
    "no error at all": ("Task is starting.\nloading 7 rows\nTask failed.\nFlow failed.", None),
    "talk of errors": ("0 rows had an error, which is fine\nno Exception today", None),
    "nothing": ("", None),
}
LAST_RESORT = {
    "a segmentation fault": "Segmentation fault (core dumped)",
    "no Python": "/bin/bash: line 1: conda: command not found",
    "no module": "/usr/bin/python: No module named metaflow",
    "R": "Error in fit(rows) : object 'rows' not found",
}


@pytest.mark.parametrize("name", LOGS)
def test_the_exceptions_line_is_found(name: str) -> None:
    """Whatever surrounds it."""
    log, line = LOGS[name]

    assert exception_line(dedent(log).split("\n")) == (line or LAST_RESORT.get(name))


@pytest.mark.parametrize("error", [ValueError("no"), KeyError(3), ExceptionGroup("e", [OSError()])])
def test_what_this_python_prints_is_understood(error: Exception) -> None:
    """Of a cause and of what it caused, the latter."""
    try:
        try:
            _ = 1 / 0
        except ZeroDivisionError as cause:
            raise error from cause
    except type(error) as raised:
        printed = traceback.format_exception(raised)
        last = traceback.format_exception_only(raised)[0]

    assert exception_line("".join(printed).splitlines()) == last.strip()


@given(st.lists(st.text() | st.sampled_from(["Traceback (most recent call last):", "  x", "E: x"])))
def test_no_log_is_an_error(lines: list[str]) -> None:
    """What is found is short, and a part of the log."""
    found = exception_line(lines)
    assert found is None or 0 < len(found) <= LINE_LIMIT
    assert len(readable(lines)) == len(lines)


@pytest.mark.parametrize(
    "piece",
    [
        "    A:",
        "Traceback (",
        "[MFLOG|0|",
        '  File "',
        "\x1b[",
        "| + ",
        "a.",
        ": line 1: ",
        "Error",
    ],
)
def test_a_hostile_log_costs_no_time(piece: str) -> None:
    """A line of a megabyte, or many lines, take time in proportion."""
    began = time.perf_counter()
    exception_line([piece * (1_000_000 // len(piece))])
    exception_line([piece * 9] * 20_000)
    assert time.perf_counter() - began < 3
