"""The options that narrow every list."""

from datetime import UTC, datetime, timedelta

import pytest

from ops_platform.cli.filters import moment as moment_of
from ops_platform.clock import now
from ops_platform_tests.cli.command_line import Platform


def _words(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ((), 3),
        (("--account", "production"), 2),
        (("--account", "999999999999"), 0),
        (("--status", "FAILED"), 2),
        (("--status", "failed"), 2),
        (("--status", "Running"), 1),
        (("--flow", "TrainFlow"), 3),
        (("--flow", "trainflow"), 0),
        (("--since", "2026-03-02T12:03:20Z"), 2),
        (("--since", "2026-03-02T13:03:21+01:00"), 1),
        (("--since", "2026-03-02"), 3),
        (("--since", "1h"), 0),
        (("--limit", "2"), 2),
        (("--account", "production", "--status", "failed", "--flow", "TrainFlow"), 1),
    ],
    ids=_words,
)
def test_options_narrow_a_list_and_add_up(
    told: Platform, options: tuple[str, ...], runs: int
) -> None:
    """Each keeps what fits it; a limit keeps the newest."""
    rows = told.rows("executions", *options)
    newest = [row["run_id"] for row in told.rows("executions")]
    assert len(rows) == runs
    assert [run for run in newest if run in {row["run_id"] for row in rows}] == [
        row["run_id"] for row in rows
    ]


@pytest.mark.parametrize("noun", ["jobs", "flows", "incidents"])
def test_the_other_lists_take_the_same_options(told: Platform, noun: str) -> None:
    """Nobody has to learn them twice."""
    given = ("--account", "staging", "--flow", "TrainFlow", "--since", "2026-01-01", "--limit", "9")
    (row,) = told.rows(noun, *given)
    assert (row["account"], row["flow"]) == ("staging", "TrainFlow")
    assert told.rows(noun, "--since", "1m") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--since", "yesterday"), "'yesterday' is no time; write 2026-01-31"),
        (("--since", "-1h"), "'-1h' is no time"),
        (("--since", "999999d"), "'999999d' is no time"),
        (("--since", ""), "'' is no time"),
        (("--status", "faild"), "'faild' is not one of"),
        (("--limit", "0"), "0 is not in the range"),
        (("--limit", "many"), "'many' is not a valid integer"),
        (("--limit", "99999999999999999999"), "is not in the range"),
        (("--queue", "metaflow"), "No such option"),
    ],
    ids=_words,
)
def test_an_option_that_means_nothing_is_refused(
    platform: Platform, options: tuple[str, ...], sentence: str
) -> None:
    """The sentence says what could be given; nothing is listed."""
    done = platform.run("executions", "list", "--json", *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("alerts", "list"),
        ("alerts", "dead"),
        ("executions", "list"),
        ("flows", "list"),
        ("incidents", "list"),
        ("jobs", "list"),
        ("reconcile",),
        ("silences", "add", "--for", "2h", "--reason", "late", "--by", "ana"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        ("stagin", "did you mean staging? Known are: production, staging."),
        ("prod", "did you mean production? Known are: production, staging."),
        ("elsewhere", "known are: production, staging."),
        ("99999999999", "known are: production, staging."),
    ],
)
def test_an_account_that_is_none_is_refused_in_the_same_words(
    platform: Platform, command: tuple[str, ...], slip: str, sentence: str
) -> None:
    """An empty list would say that all is well there."""
    done = platform.run(*command, "--json", "--account", slip)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: There is no account '{slip}'; {sentence}\n"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, moment: datetime) -> None:
    """The ledger has no other."""
    assert moment_of(text) == moment


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_span_means_so_long_ago(text: str, ago: timedelta) -> None:
    """Seconds, minutes, hours and days."""
    assert abs(now() - ago - moment_of(text)) < timedelta(seconds=30)
