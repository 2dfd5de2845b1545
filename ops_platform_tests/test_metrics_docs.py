"""The page on metrics is held to the code: its tables, commands, queries and promises."""

import re
import shlex
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform.domain.hours import of_day
from ops_platform.domain.job_rollups import OF_ATTEMPT, OF_JOB
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.domain.rollups import OF_INSTANCE, OF_RUN
from ops_platform.embedded.postgres import PostgresServer
from ops_platform.operations.compute_metrics import compute_metrics
from ops_platform.operations.ingest_events import record_events
from ops_platform.operations.show_metrics import show_metric
from ops_platform_tests.build import ACCOUNTS, NOON, after
from ops_platform_tests.build_runs import a_failing_run, a_job_history
from ops_platform_tests.ledger_world import POLICY, open_ledger
from ops_platform_tests.metrics_page import dimensions, metric_rows
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.postgres_fixture import fresh_database

_FOLDER = Path(__file__).parents[1] / "docs"
_TEXT = (_FOLDER / "metrics.md").read_text()
_COMMANDS = sorted(set(re.findall(r"`(ops-platform [^`]+)`", _TEXT)))
_QUERY = re.compile(r"^([^\n]+):\n\n```sql\n(.*?)```", re.MULTILINE | re.DOTALL)
_QUERIES = dict(_QUERY.findall(_TEXT))
_HOURS = of_day(NOON.date())
_FILTER = re.compile(r"\$__timeFilter\((\w+)\)")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def computed(postgres: PostgresServer, empty_ledger: str) -> Iterator[Ledger]:
    """Give a ledger with a day of runs, all of whose metrics are computed; nobody changes it."""
    events = [
        *a_failing_run(),
        *a_job_history("again", exits=[1, 0], begin=3594),
        *Run("run-2", flow="OtherFlow").ended(after(200), "FAILED"),
        *Run("run-3", flow="OtherFlow").ended(after(4000), "SUCCEEDED"),
    ]
    now = _HOURS.end
    with (
        fresh_database(postgres, template=empty_ledger) as name,
        open_ledger(postgres.url(name)) as ledger,
    ):
        record_events(ledger, events, accounts=ACCOUNTS, policy=POLICY, now=now)
        compute_metrics(ledger, _HOURS, tuple(Noun), prices=DEFAULT_PRICES, now=now)
        yield ledger


def _rows(ledger: Ledger, title: str) -> list[Row]:
    between = rf"\1 BETWEEN '{_HOURS.begin:%Y-%m-%d}' AND '{_HOURS.end:%Y-%m-%d}'"
    with ledger.transaction() as tx:
        found = tx.execute(sa.text(_FILTER.sub(between, _QUERIES[title])))
        return [dict(row) for row in found.mappings()]


def _by_column(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def _shown(ledger: Ledger, name: str, **asked: Any) -> list[Row]:
    return show_metric(ledger, name, begin=_HOURS.begin, end=_HOURS.end, **asked)


def test_the_table_is_that_of_the_declarations() -> None:
    """Every metric in a row, in their order, and no other."""
    rows = [line for line in _TEXT.splitlines() if line.startswith("| `") and line.count("|") > 5]

    assert rows == metric_rows()


def test_every_dimension_is_explained() -> None:
    """In the table of dimensions, and no other is."""
    table = _TEXT.partition("| Dimension |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == dimensions()


@pytest.mark.parametrize(
    ("word", "names"),
    [("job", OF_JOB), ("attempt", OF_ATTEMPT), ("run", OF_RUN), ("host", OF_INSTANCE)],
)
def test_the_short_words_stand_for_what_they_say(word: str, names: tuple[str, ...]) -> None:
    """An attempt has what a job has, and more."""
    text = _TEXT.partition("In the table above, ")[2].partition("\n\n")[0]
    said = re.search(rf"\*{word}\*([^;.*]*)", text)
    assert said is not None

    listed = re.findall(r"`(\w+)`", said[1])
    assert tuple(listed) == (names[len(OF_JOB) :] if word == "attempt" else names)


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_can_be_typed(command: str) -> None:
    """With these very arguments."""
    found: click.Command = group_of(PROGRAM)
    context, rest = click.Context(found), shlex.split(command)[1:]
    while isinstance(found, click.Group):
        _, under, rest = found.resolve_command(context, rest)
        assert under is not None
        found, context = under, click.Context(under, parent=context)

    with found.make_context(found.name, rest, parent=context.parent) as made:
        assert made.command.callback is not None


def test_commands_and_queries_are_found() -> None:
    """Else the tests would hold for none."""
    assert len(_COMMANDS) > 8
    assert len(_QUERIES) == _TEXT.count("```sql")


@pytest.mark.parametrize("title", _QUERIES)
def test_a_query_finds_something(computed: Ledger, title: str) -> None:
    """As Grafana sends it, with a period in place of its macro."""
    assert _rows(computed, title)


def test_failures_are_those_that_the_command_shows(computed: Ledger) -> None:
    """Hour by hour."""
    shown = _shown(computed, "jobs_failed", by=["reason"])

    assert _by_column(_rows(computed, "Failed jobs by reason"), "time", "reason", "failed") == [
        (row["hour"], row["reason"], row["count"]) for row in shown if row["count"]
    ]


def test_percentiles_are_those_that_the_command_shows(computed: Ledger) -> None:
    """Of all values of a queue, not of percentiles."""
    title = "How long jobs wait for a place, by queue; percentiles come from `values`"
    shown = _shown(computed, "attempt_runnable_to_starting_ms", by=["queue"])

    assert _by_column(_rows(computed, title), "time", "queue", "p90_seconds") == [
        (row["hour"], row["queue"], pytest.approx(row["p90"] / 1000))
        for row in shown
        if row["count"]
    ]


def test_levels_are_those_that_the_command_shows(computed: Ledger) -> None:
    """At the end of each hour."""
    title = "Jobs in each state at the end of each hour"
    shown = _shown(computed, "jobs_in_state", by=["state"])

    found = [row for row in _rows(computed, title) if row["jobs"]]
    assert found
    assert _by_column(found, "time", "state", "jobs") == [
        (row["hour"], row["state"], row["last"]) for row in shown if row["last"]
    ]


def test_the_success_rate_is_the_one_that_the_command_shows(computed: Ledger) -> None:
    """Of flows of which any run ended."""
    title = "Success rate of each flow, by day"
    shown = _shown(computed, "execution_success_rate", by=["flow"], daily=True)

    assert {row["flow"]: float(row["success_rate"] or 0) for row in _rows(computed, title)} == {
        row["flow"]: row["share"] for row in shown if row["share"] is not None
    }


def test_what_owners_cost_is_what_the_command_shows(computed: Ledger) -> None:
    """Over the whole period."""
    title = "The costliest owners, and what they lose to failures"
    shown = _shown(computed, "cost_usd", by=["owner"], daily=True)

    assert {row["owner"]: row["usd"] for row in _rows(computed, title)} == {
        row["owner"]: pytest.approx(row["sum"]) for row in shown if row["sum"]
    }


def test_the_median_it_gives_is_right() -> None:
    """By the other common definition it would be another."""
    values = re.search(r"the median of ([\d, ]+) and (\d+) is ([\d.]+\d)", _TEXT)
    assert values is not None

    numbers = [*map(int, values[1].split(", ")), int(values[2])]
    assert statistics.median(numbers) == float(values[3])


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", _TEXT))))
def test_every_link_leads_somewhere(link: str) -> None:
    """To a page, and to a heading of it."""
    page, _, heading = link.partition("#")
    text = (_FOLDER / page).read_text() if page else _TEXT
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)

    assert heading in (
        "",
        *(re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings),
    )
