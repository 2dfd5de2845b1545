"""Put the page of a morning together from the metrics of the day before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ops_platform.adapters.ledger import flow_turns
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.hours import DAY, day_begins, of_day
from ops_platform.domain.morning import (
    MOST_FLOWS,
    MOST_QUEUES,
    AccountDay,
    Figures,
    Named,
    highest,
    page,
)
from ops_platform.domain.rollups import EXECUTION_ENDS
from ops_platform.operations.show_metrics import Row, show_metric

_WAITING, _COST = "attempt_runnable_to_starting_ms", "cost_usd"


@dataclass(frozen=True, slots=True)
class Morning:
    """A page, and the days it is made of."""

    day: date
    accounts: tuple[AccountDay, ...]

    @property
    def sections(self) -> dict[str, str]:
        """The page, as Markdown."""
        return page(self.day, self.accounts)


def morning_page(ledger: Ledger, day: date, *, accounts: Sequence[str]) -> Morning:
    """Return the page of a day, compared with the day before it if that is known.

    Raises:
        PlatformError: The day's metrics are not put together.
    """
    if reason := why_not(ledger, day):
        raise PlatformError(reason)
    today, before = _Day(ledger, day), _Day(ledger, (day_begins(day) - DAY).date())
    hours = of_day(day)
    with ledger.transaction() as tx:
        turns = flow_turns.between(tx, hours.begin, hours.end)
    names = dict.fromkeys([*accounts, *sorted(today.accounts())])
    return Morning(
        day,
        tuple(
            AccountDay(
                account=name,
                figures=today.figures(name),
                before=before.figures(name) if before.is_known else None,
                queues=_highest(today, before, _WAITING, name, most=MOST_QUEUES),
                flows=_highest(today, before, _COST, name, most=MOST_FLOWS),
                turns=[turn for turn in turns if turn.account == name],
            )
            for name in names
        ),
    )


def why_not(ledger: Ledger, day: date) -> str | None:
    """Return why a day can have no page yet, or None if it can."""
    hours = of_day(day)
    for metric in ("executions", _COST):
        if not show_metric(ledger, metric, begin=hours.begin, end=hours.end, daily=True):
            return (
                f"The metrics of {day} are not put together yet. `ops-platform metrics compute"
                f" --from {day}` does it, and so does refresh_metrics once all hours of the day are"
                " computed."
            )
    return None


def _highest(today: "_Day", before: "_Day", metric: str, account: str, *, most: int) -> list[Named]:
    return highest(today.named(metric, account), before.named(metric, account), most=most)


class _Day:
    """What is known of a day, read once."""

    def __init__(self, ledger: Ledger, day: date) -> None:
        self._ledger, self._day = ledger, day
        self.is_known = bool(self._rows("executions")) and bool(self._rows(_COST))
        self._ended = self._rows("executions", "account", "status")
        self._sums = {
            name: {row["account"]: row[number] for row in self._rows(name, "account")}
            for name, number in (
                (_COST, "sum"),
                ("wasted_cost_usd", "sum"),
                ("jobs_cancelled_as_stale", "count"),
            )
        }
        self._named = {
            _WAITING: (self._rows(_WAITING, "account", "queue"), "queue", "p90"),
            _COST: (self._rows(_COST, "account", "flow"), "flow", "sum"),
        }

    def accounts(self) -> set[str]:
        """Return the accounts that have anything."""
        return {row["account"] for row in self._ended} | set(self._sums[_COST])

    def figures(self, account: str) -> Figures:
        """Return the numbers of an account."""
        ended = {row["status"]: row["count"] for row in self._ended if row["account"] == account}
        return Figures(
            ended={status: ended.get(status, 0) for status in EXECUTION_ENDS},
            cost=self._sums[_COST].get(account, 0.0),
            wasted=self._sums["wasted_cost_usd"].get(account, 0.0),
            stale=self._sums["jobs_cancelled_as_stale"].get(account, 0),
        )

    def named(self, metric: str, account: str) -> Mapping[str, float]:
        """Return the numbers of an account's queues or flows."""
        rows, name, number = self._named[metric]
        return {row[name]: row[number] or 0 for row in rows if row["account"] == account}

    def _rows(self, metric: str, *by: str) -> list[Row]:
        hours = of_day(self._day)
        return show_metric(
            self._ledger, metric, begin=hours.begin, end=hours.end, by=by, daily=True
        )
