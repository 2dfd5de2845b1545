"""``ops-platform metrics``: list, compute and show."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ops_platform.adapters.ledger import history
from ops_platform.clock import now
from ops_platform.domain.hours import hour_of
from ops_platform.domain.metric import Noun
from ops_platform.domain.rollups import METRICS
from ops_platform.embedded.postgres import PostgresServer
from ops_platform_tests.build import NOON, after, an_execution_event, bodies
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.cli.command_line import Platform, Row, platform_in
from ops_platform_tests.ledger_world import open_ledger
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.postgres_fixture import fresh_database

# The hours around noon, when all of it happens; the last of them stays uncomputed.
COMPUTED = ("--from", "2026-03-02T11:00:00Z", "--to", "2026-03-02T13:00:00Z")
WIDER = ("--from", "2026-03-02T11:30:00Z", "--to", "2026-03-02T13:10:00Z")
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


@pytest.fixture(scope="module")
def counted(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Give the command line on three runs, two of whose hours are computed; nobody changes it."""
    folder = tmp_path_factory.mktemp("platform")
    events = [
        *a_failing_run(),
        *Run("run-2", jobs=1).ended(after(200), "FAILED"),
        *a_job_history("good", exits=[1, 0], begin=60),
        an_execution_event(id="3", execution_arn="arn:3", name="run-3", time=after(300)),
    ]
    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(bodies(events)))
    with fresh_database(postgres) as name:
        made = platform_in(folder, postgres.url(name))
        made.record("events", "replay", str(file))
        assert made.run("metrics", "compute", *COMPUTED).exit_code == 0
        yield made


def _shown(platform: Platform, *arguments: str) -> list[Row]:
    done = platform.run("metrics", "show", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout)
    return rows


def test_every_metric_is_listed() -> None:
    """For programs with all that is known of it; no ledger is needed for that."""
    done = Platform({}).run("metrics", "list", "--json")

    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert list(rows) == list(METRICS)
    assert rows["job_transitions"]["values"]["state"][0] == "SUBMITTED"
    assert rows["job_running_ms"]["fields"] == ["count", "sum", "min", "max", "p50", "p90", "p99"]
    assert rows["execution_ms"]["aws"] == "ExecutionTime"


def test_people_read_the_whole_description() -> None:
    """It is not cut as a cell of a table is."""
    text = Platform({}).run("metrics", "list").stdout

    assert all(metric.description in text for metric in METRICS.values())
    assert max(map(len, text.splitlines())) <= 100


def test_an_hour_is_written_as_the_interface_promises(counted: Platform) -> None:
    """Each computed hour is there, the one in which nothing happened with zeros."""
    rows = _shown(counted, "job_transitions", *COMPUTED)

    assert [row["hour"] for row in rows] == ["2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"]
    assert rows[0]["count"] == 0
    assert rows[1]["count"] > 0


@pytest.mark.parametrize(
    "by",
    [("--by", "flow", "--by", "state"), ("--by", "flow,state"), ("--by", "flow, state,flow")],
)
def test_dimensions_are_told_apart(counted: Platform, by: tuple[str, ...]) -> None:
    """Given one by one or together."""
    rows = _shown(counted, "job_transitions", *COMPUTED, *by)

    assert list(rows[0]) == ["hour", "flow", "state", "count"]
    assert {"TrainFlow"} == {row["flow"] for row in rows if row["count"]}


def test_values_narrow_what_is_shown(counted: Platform) -> None:
    """All that are given."""
    where = ("--where", "status=SUCCEEDED", "--where", "account=production")
    rows = _shown(counted, "job_running_ms", *COMPUTED, *where, "--by", "step")

    numbers = {key: value for key, value in rows[-1].items() if key != "hour"}
    assert numbers == {
        "step": "work", "count": 2, "sum": 10500, "min": 5250, "max": 5250,
        "p50": 5250, "p90": 5250, "p99": 5250,
    }  # fmt: skip


def test_whole_numbers_have_no_fraction(counted: Platform) -> None:
    """Neither counts nor milliseconds; all others are given whole."""
    text = counted.run("metrics", "show", "execution_ms", *COMPUTED, "--json").stdout

    assert ".0" not in text


def test_csv_has_a_heading_and_nothing_else(counted: Platform) -> None:
    """A number that there is not is empty."""
    done = counted.run("metrics", "show", "execution_ms", *COMPUTED, "--by", "status", "--csv")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == ["hour", "status", *METRICS["execution_ms"].fields]
    assert rows[0]["p50"] == ""
    assert rows[0]["count"] == "0"


def test_people_get_a_table_of_rounded_numbers(counted: Platform) -> None:
    """Numbers to the right."""
    heading, *lines = counted.run("metrics", "show", "cost_usd", *COMPUTED).stdout.splitlines()

    assert heading.split() == ["HOUR", "SUM"]
    assert len(lines[-1].split()[1].strip("0.")) <= 4


def test_hours_that_were_not_computed_are_named(counted: Platform) -> None:
    """They are no zeros; the command that computes them is given."""
    done = counted.run("metrics", "show", "executions", *WIDER, "--json")

    assert done.exit_code == 0
    assert [row["hour"] for row in json.loads(done.stdout)] == [
        "2026-03-02T11:00:00Z",
        "2026-03-02T12:00:00Z",
    ]
    span = "2026-03-02T13:00:00Z to 2026-03-02T14:00:00Z"
    assert done.stderr == (
        f"Not all of it is computed. 1 hour missing: {span}.\n"
        f"Compute it: ops-platform metrics compute --from {span.replace('to', '--to')}\n"
    )


@pytest.mark.parametrize("command", ["show executions", "top flows"])
def test_a_period_of_which_nothing_is_computed_is_no_success(
    counted: Platform, command: str
) -> None:
    """Else a script would take it for an hour without any failure."""
    done = counted.run("metrics", *command.split(), *DAY[:1], "2026-03-01", "--to", "2026-03-02")

    assert done.exit_code == 1
    assert done.stderr.startswith("None of it is computed. 24 hours missing: 2026-03-01T00:00:00Z")


def test_days_are_shown_once_they_are_complete(platform: Platform, tmp_path: Path) -> None:
    """A day that lacks hours is named as one that was not computed."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(bodies(a_failing_run())))
    platform.run("events", "replay", str(file))
    assert platform.run("metrics", "compute", *DAY).exit_code == 0

    done = platform.run("metrics", "show", "executions", "--daily", *DAY[:3], "2026-03-03T05:00Z",
                        "--by", "status", "--where", "status=FAILED", "--json")  # fmt: skip

    assert json.loads(done.stdout) == [{"day": "2026-03-02", "status": "FAILED", "count": 1}]
    assert "1 day missing: 2026-03-03T00:00:00Z to 2026-03-04T00:00:00Z" in done.stderr


def test_without_a_period_it_is_the_last_24_hours(platform: Platform) -> None:
    """The one that runs included, which is said."""
    done = platform.run("metrics", "compute", "--noun", "platform", "--json")
    computed = json.loads(done.stdout)
    this = f"{hour_of(now()):%Y-%m-%dT%H:00:00Z}"

    assert [row["noun"] for row in computed] == ["platform"] * 24
    assert [row["began"] for row in computed if row["partial"]] in ([this], [])
    shown = platform.run("metrics", "show", "alerts_sent", "--json")
    assert f"The hour {computed[-1]['began']} was not over" in shown.stderr


def test_what_was_computed_is_listed(platform: Platform) -> None:
    """Each day with its hours, and whether the day itself was put together."""
    done = platform.run("metrics", "compute", *DAY)

    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["DAY", "NOUN", "HOURS", "ROWS", "PARTIAL", "DAY", "COMPUTED"]
    assert [(line[1], line[2], line[4], line[5]) for line in lines[1:]] == [
        (noun, "24", "no", "yes") for noun in sorted(Noun)
    ]


def test_days_whose_events_were_dropped_are_refused(ledger_url: str, tmp_path: Path) -> None:
    """Zeros in their place would be wrong; what to do is said."""
    platform = platform_in(tmp_path, ledger_url)
    with open_ledger(ledger_url) as ledger, ledger.transaction() as tx:
        history.mark(tx, [NOON.date()], now=now())

    done = platform.run("metrics", "compute", *COMPUTED)

    assert (done.exit_code, done.stdout) == (1, "")
    assert "events import" in done.stderr
    assert platform.run("metrics", "show", "executions", *COMPUTED).exit_code == 1


def test_hours_before_the_first_event_are_called_so(platform: Platform, tmp_path: Path) -> None:
    """Their zeros say nothing of what happened."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(bodies(a_failing_run())))
    platform.record("events", "replay", str(file))

    before = platform.run("metrics", "compute", *COMPUTED)
    since = platform.run("metrics", "compute", "--from", "2026-03-02T12:00Z", "--to", "2026-03-03")

    assert (before.exit_code, since.exit_code) == (0, 0)
    assert "The first event is of 2026-03-02T12:00:" in before.stderr
    assert "zeros because nothing was recorded" in before.stderr
    assert "recorded" not in since.stderr


def test_a_platform_without_events_says_so(platform: Platform) -> None:
    """Zeros alone would look like a quiet night."""
    done = platform.run("metrics", "compute", *COMPUTED)

    assert done.exit_code == 0
    assert "No event is recorded" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "job_transition"), "There is no metric 'job_transition'"),
        (("show", "executions", "--by", "queue"), "executions has no dimension 'queue'"),
        (("show", "executions", "--where", "queue=a"), "executions has no dimension 'queue'"),
        (("show", "executions", "--where", "flow"), "--where flow is no pair"),
        (("show", "executions", "--where", "flow=A", "--where", "flow=B"), "flow is given twice"),
        (("show", "executions", "--where", "status=failed"), "Did you mean FAILED?"),
        (("show", "executions", "--where", "account=prod"), "There is no account 'prod'"),
        (("show", "executions", "--json", "--csv"), "either --json or --csv"),
        (("compute", "--from", "2026-01-02", "--to", "2026-01-02"), "There is no hour that has"),
        (("compute", "--from", "9999-12-31T23:59-05:00"), "is not from 2016 or later"),
        (("compute", "--from", "0001-01-01T00:00+05:00"), "is not from 2016 or later"),
        (("compute", "--from", "then"), "'then' is no time"),
        (("show", "executions", "--daily", "--from", "1m"), "There is no day that is over from"),
        (("compute", "--noun", "flows"), "'flows' is not one of 'jobs'"),
        (("top", "flows", "--by", "price"), "'price' is not one of 'cost'"),
    ],
)
def test_a_slip_is_explained(counted: Platform, arguments: tuple[str, ...], sentence: str) -> None:
    """With what there is instead, and the exit code of a wrong call."""
    done = counted.run("metrics", *arguments)

    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_what_is_still_to_come_is_not_computed(platform: Platform) -> None:
    """An end in the future is taken for now."""
    until = f"{now() + timedelta(days=2):%Y-%m-%d}"
    done = platform.run("metrics", "compute", "--from", "1h", "--to", until, "--json")

    assert done.exit_code == 0
    assert {row["grain"] for row in json.loads(done.stdout)} == {"hour"}


@pytest.mark.parametrize("ranked", ["flows", "owners", "queues", "steps"])
@pytest.mark.parametrize("measure", ["cost", "wasted", "failures", "running", "waiting"])
def test_what_takes_most_comes_first(counted: Platform, ranked: str, measure: str) -> None:
    """With its share of the whole."""
    arguments = ("metrics", "top", ranked, "--by", measure, *COMPUTED, "--json")
    rows = json.loads(counted.run(*arguments).stdout)

    shares = [row["share"] for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert len(json.loads(counted.run(*arguments, "--limit", "1").stdout)) == 1
