"""``ops-platform metrics``: what there is, computing it, and seeing it."""

import sys
from typing import Unpack

import click

from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.metric_list import metric_rows, show_metric_list
from ops_platform.cli.metric_rows import computed_days, computed_rows, show_numbers
from ops_platform.cli.output import json_option, show_json, show_rows
from ops_platform.cli.period import Period, days_of, hours_of, period_options
from ops_platform.cli.progress import Progress
from ops_platform.cli.shown_metric import Shown, say_gaps, shown
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import Hours
from ops_platform.domain.metric import Noun
from ops_platform.domain.rollups import metric_of
from ops_platform.operations.compute_metrics import compute_metrics, warning
from ops_platform.operations.roll_up_metrics import Rolled
from ops_platform.operations.top_flows import METRIC_OF, Measure, Ranked, top

_DAYS_COLUMNS = ("day", "noun", "hours", "rows", "partial", "day_computed")
_NOT_COMPUTED = "Not computed."


@click.group()
def metrics() -> None:
    """Show and compute metrics, by hour and day.

    Times are in UTC, and periods are of whole hours: one begins with the hour that --from is
    within, and ends with the one that --to is within, unless that has just begun.
    """


@metrics.command("list")
@json_option
def list_metrics(*, as_json: bool) -> None:
    """List what there is: names, units, dimensions, and the metric of AWS that means the same."""
    if as_json:
        show_json(metric_rows())
    else:
        show_metric_list()


@metrics.command()
@period_options
@click.option(
    "--noun",
    "nouns",
    multiple=True,
    type=click.Choice([str(noun) for noun in Noun]),
    help="Only metrics of these; can be given more than once.",
)
@json_option
def compute(*, nouns: tuple[str, ...], as_json: bool, **given: Unpack[Period]) -> None:
    """Compute the hours of a period anew, and the days that are then complete.

    It is the very computation of the assets in Dagster, and replaces each hour as a whole. The hour
    that still runs is computed as far as it is, and marked partial. The exit code is 1 if the
    events of a day were dropped; nothing is computed then.
    """
    with open_ledger() as opened:
        now = opened.ledger.now()
        hours = hours_of(given, now)
        with Progress("hours computed") as progress:
            try:
                done = compute_metrics(
                    opened.ledger,
                    hours,
                    [Noun(noun) for noun in nouns] or tuple(Noun),
                    prices=opened.settings.metrics.price_table(),
                    now=now,
                    show=progress.show,
                )
            except PlatformError as error:
                click.echo(f"Error: {error}", err=True)
                sys.exit(1)
        unknown = warning(opened.ledger, hours)
    if unknown:
        click.echo(unknown, err=True)
    _show_computed(done, as_json=as_json)


def _show_computed(done: list[Rolled], *, as_json: bool) -> None:
    if as_json:
        show_json(computed_rows(done))
    else:
        show_rows(computed_days(done), columns=_DAYS_COLUMNS, none="", as_json=False)


@metrics.command()
@click.argument("metric")
@click.option(
    "--by",
    multiple=True,
    metavar="DIM",
    help="Tell this dimension apart; can be given more than once, or as DIM,DIM.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="DIM=VALUE",
    help="Only what has this value; can be given more than once.",
)
@period_options
@click.option("--daily", is_flag=True, help="Days in place of hours; by default the last 7.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV and nothing else.")
def show(
    metric: str,
    *,
    by: tuple[str, ...],
    where: tuple[str, ...],
    daily: bool,
    as_json: bool,
    as_csv: bool,
    **given: Unpack[Period],
) -> None:
    """Show a metric: a row for each hour that was computed, and each group.

    An hour in which nothing happened is a row of zeros. One without a row was not computed: those
    are named on standard error. The exit code is 1 if none was.
    """
    if as_json and as_csv:
        raise click.UsageError("Give either --json or --csv.")
    wanted = Shown.read(metric_of(metric), by, where, daily=daily)
    with open_ledger() as opened:
        now = opened.ledger.now()
        hours = (days_of if daily else hours_of)(given, now)
        rows = shown(opened, wanted, hours)
        any_computed = say_gaps(opened, wanted, hours)
    none = "Nothing." if any_computed else _NOT_COMPUTED
    show_numbers(rows, columns=wanted.columns, as_json=as_json, as_csv=as_csv, none=none)
    if not any_computed:
        sys.exit(1)


@metrics.command("top")
@click.argument("ranked", type=click.Choice([str(each) for each in Ranked]))
@click.option(
    "--by",
    "measure",
    type=click.Choice([str(each) for each in Measure]),
    default=str(Measure.COST),
    show_default=True,
    help="What they are ranked by.",
)
@period_options
@click.option("--limit", type=click.IntRange(1, 10**9), help="At most this many.")
@json_option
def show_top(
    *, ranked: str, measure: str, limit: int | None, as_json: bool, **given: Unpack[Period]
) -> None:
    """Rank flows, owners, queues or steps by what they took.

    "cost" is the estimate of what was reserved, "wasted" that of attempts that failed; "failures"
    are failed jobs; "running" is the time of attempts that ended, and "waiting" that in which no
    attempt of a job ran. The exit code is 1 if no hour of the period was computed.
    """
    with open_ledger() as opened:
        hours = hours_of(given, opened.ledger.now())
        rows = top(opened.ledger, Ranked(ranked), Measure(measure), hours=hours, limit=limit)
        any_computed = _say_gaps_of_top(opened, measure, hours)
    columns = list(rows[0]) if rows else []
    none = "Nothing in this period." if any_computed else _NOT_COMPUTED
    show_numbers(rows, columns=columns, as_json=as_json, none=none)
    if not any_computed:
        sys.exit(1)


def _say_gaps_of_top(opened: Opened, measure: str, hours: Hours) -> bool:
    return say_gaps(opened, Shown(metric_of(METRIC_OF[Measure(measure)])), hours)
