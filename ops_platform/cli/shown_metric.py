"""A metric that is shown: what was asked for, its rows, and what they lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import click

from ops_platform.adapters.ledger.rollups import reading
from ops_platform.adapters.ledger.rollups.daily import DAILY
from ops_platform.adapters.ledger.rollups.hourly import HOURLY
from ops_platform.cli.ledger import Opened
from ops_platform.cli.output import Row
from ops_platform.cli.period import say_missing, written
from ops_platform.domain.hours import DAY, HOUR, Hours
from ops_platform.domain.metric import Metric
from ops_platform.domain.names import is_account_id, nearest
from ops_platform.domain.rollups import check_dimensions
from ops_platform.operations.show_metrics import show_metric


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a metric is shown."""

    metric: Metric
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    daily: bool = False

    @classmethod
    def read(
        cls, metric: Metric, by: Sequence[str], where: Sequence[str], *, daily: bool
    ) -> "Shown":
        """Return what the options ask for.

        Raises:
            PlatformError: The metric has no such dimension.
            click.UsageError: An option cannot be read, or the dimension never has the value.
        """
        names = [name.strip() for each in by for name in each.split(",")]
        only = _values(where)
        check_dimensions(metric, [*names, *only])
        for name, known in metric.closed:
            if name in only and only[name] not in known:
                raise click.UsageError(_no_such_value(name, only[name], known))
        return cls(metric, tuple(dict.fromkeys(names)), only, daily)

    @property
    def columns(self) -> list[str]:
        """The columns of a table: when, the dimensions, the numbers."""
        return ["day" if self.daily else "hour", *self.by, *self.metric.fields]

    @property
    def length(self) -> timedelta:
        """How long what a row is of lasts."""
        return DAY if self.daily else HOUR


def shown(opened: Opened, wanted: Shown, hours: Hours) -> list[Row]:
    """Return the rows, times as they are written.

    Raises:
        PlatformError: The account is none of the settings; an empty list would hide the slip.
    """
    account = wanted.where.get("account")
    if account and not is_account_id(account):
        opened.settings.account(account)
    found = show_metric(
        opened.ledger,
        wanted.metric.name,
        begin=hours.begin,
        end=hours.end,
        by=wanted.by,
        where=wanted.where,
        daily=wanted.daily,
    )
    time = wanted.columns[0]
    return [{**row, time: written(row[time])} for row in found]


def say_gaps(opened: Opened, wanted: Shown, hours: Hours) -> bool:
    """Say on standard error what was not computed, or not whole; return whether anything was."""
    with opened.ledger.transaction() as tx:
        computed = reading.computed(
            tx,
            begin=hours.begin,
            end=hours.end,
            grain=DAILY if wanted.daily else HOURLY,
            noun=wanted.metric.noun,
        )
    known = {row["began"] for row in computed}
    say_missing(_every(hours, wanted.length) - known, wanted.length, hours)
    for row in computed:
        if row["partial"]:
            hour = written(row["began"])
            click.echo(f"The hour {hour} was not over when it was computed.", err=True)
    return bool(known)


def _every(hours: Hours, length: timedelta) -> set[datetime]:
    return {hours.begin + n * length for n in range((hours.end - hours.begin) // length)}


def _values(where: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in where:
        name, is_pair, value = each.partition("=")
        if not is_pair:
            raise click.UsageError(f"--where {each} is no pair; write DIM=VALUE.")
        if name in found:
            raise click.UsageError(f"--where {name} is given twice.")
        found[name] = value
    return found


def _no_such_value(name: str, value: str, known: Sequence[str]) -> str:
    near = nearest(value.upper(), known)
    hint = f"Did you mean {near}? " if near else ""
    return f"No {name} is {value!r}. {hint}There are: {', '.join(known)}."
