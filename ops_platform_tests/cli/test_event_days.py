"""``ops-platform events export|drop|import``: days of history go and come back."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from ops_platform.clock import now
from ops_platform_tests.build import bodies
from ops_platform_tests.cli.command_line import Platform, Row
from ops_platform_tests.operations import history_world
from ops_platform_tests.operations.history_world import moved, some_days

# The command line lives in the present, where these days are over and not too old to be kept.
_BY = timedelta(days=(now().date() - history_world.FIRST).days - 20)


def day(number: int) -> date:
    """Return one of the days that runs are known of."""
    return history_world.day(number) + _BY


_RANGE = ("--from", str(day(0)), "--to", str(day(1)))
_NAMES = [f"events-{day(number)}.jsonl.gz" for number in (0, 1)]


@pytest.fixture
def kept(platform: Platform, tmp_path: Path) -> Platform:
    """Give the command line on the runs of four days."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(
        b"\n".join(bodies(moved(event, lambda at: at + _BY) for event in some_days(4)))
    )
    platform.record("events", "replay", str(file))
    return platform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that is not there yet."""
    return tmp_path / "kept" / "days"


def _files(folder: Path) -> list[str]:
    return sorted(map(str, folder.iterdir()))


def _run(platform: Platform, *arguments: str) -> str:
    done = platform.run(*arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_days_are_exported_dropped_and_imported(kept: Platform, folder: Path) -> None:
    """The lists of the command line show the same before and after."""
    before = kept.rows("jobs"), kept.rows("executions")

    told = _run(kept, "events", "export", *_RANGE, "--directory", str(folder))
    assert str(day(0)) in told
    assert [Path(name).name for name in _files(folder)] == _NAMES
    for incident in kept.rows("incidents"):
        _run(kept, "incidents", "resolve", incident["id"], "--reason", "long ago")
    _run(kept, "events", "drop", "--before", str(day(2)), "--enforce")
    assert len(kept.rows("jobs")) * 2 == len(before[0])

    told = _run(kept, "events", "import", *_files(folder))
    assert "2 days are whole again, and held for 7 days." in told
    assert (_sorted(kept.rows("jobs")), _sorted(kept.rows("executions"))) == tuple(
        map(_sorted, before)
    )


def _json(platform: Platform, *arguments: str) -> list[Row]:
    rows = json.loads(_run(platform, *arguments, "--json"))
    assert isinstance(rows, list)
    return rows


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=str)


def test_programs_are_told_numbers(kept: Platform, folder: Path) -> None:
    """JSON alone, of each command."""
    (first, second) = _json(kept, "events", "export", *_RANGE, "--directory", str(folder))
    assert (first["day"], first["events"], first["jobs"]) == (str(day(0)), 34, 6)
    assert second["file"] == _files(folder)[1]
    assert second["bytes"] == Path(second["file"]).stat().st_size

    would = kept.record("events", "drop", "--before", str(day(2)), "--json")
    assert (would["enforce"], would["dropped"]) == (False, [str(day(0)), str(day(1))])
    assert len(kept.rows("jobs")) == 24

    (one, other) = _json(kept, "events", "import", *_files(folder))
    assert (one["new"], one["duplicates"], one["rejected"]) == (0, one["read"], 0)
    assert other["day"] == str(day(1))


def test_what_the_settings_keep_is_kept(kept: Platform) -> None:
    """400 days, if they do not say otherwise."""
    told = kept.record("events", "drop", "--enforce", "--json")

    assert now().date() - date.fromisoformat(told["kept_from"]) == timedelta(days=400)
    assert (told["dropped"], told["days"], told["oldest"]) == ([], 4, str(day(0)))


def test_a_file_that_exists_is_not_replaced_unasked(kept: Platform, folder: Path) -> None:
    """And with --force the same rows are the same bytes."""
    arguments = ("events", "export", *_RANGE, "--directory", str(folder))
    _run(kept, *arguments)
    before = [Path(name).read_bytes() for name in _files(folder)]

    done = kept.run(*arguments)
    assert done.exit_code == 2
    assert f"{_NAMES[0]} exists; --force replaces it." in done.stderr

    _run(kept, *arguments, "--force")
    assert [Path(name).read_bytes() for name in _files(folder)] == before


def test_days_that_were_dropped_or_are_not_over_are_not_exported(
    kept: Platform, folder: Path
) -> None:
    """Nor any other of the range."""
    _run(kept, "events", "drop", "--before", str(day(1)), "--enforce")
    done = kept.run("events", "export", *_RANGE, "--directory", str(folder))
    assert (done.exit_code, folder.exists()) == (2, False)
    assert f"The events of {day(0)} were dropped" in done.stderr

    today = str(now().date())
    done = kept.run("events", "export", "--from", str(day(1)), "--to", today)
    assert (done.exit_code, f"{today} is not over yet" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--from", "2026-03-03", "--to", "2026-03-02"), "--to is before --from"),
        (("export", "--from", "yesterday", "--to", "2026-03-02"), "'yesterday' is no time"),
        (("import", "nowhere.gz"), "nowhere.gz cannot be read: No such file"),
        (("import",), "Missing argument 'FILES...'"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    platform: Platform, arguments: tuple[str, ...], said: str
) -> None:
    """With the exit code of one."""
    done = platform.run("events", *arguments)

    assert done.exit_code == 2
    assert said in done.stderr
