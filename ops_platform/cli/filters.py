"""The options by which every list is narrowed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TypedDict

import click

from ops_platform.adapters.ledger.queries import Filter
from ops_platform.clock import now
from ops_platform.domain.incidents import State

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Since(click.ParamType[datetime]):
    """A moment: ISO 8601, or how long ago."""

    name = "time"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002, click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> datetime:
        """Return the moment that the text means."""
        try:
            if match := _AGO.fullmatch(str(value)):
                return now() - timedelta(**{_UNITS[match[2]]: int(match[1])})
            moment = datetime.fromisoformat(str(value))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 2026-01-31, 2026-01-31T12:00:00Z or 2h.")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Status(click.ParamType[str]):
    """A status as the ledger writes it: AWS's in capitals, our own in small letters."""

    name = "status"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002, click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> str:
        """Return the status in the case that it has."""
        written = str(value).lower()
        return written if written in set(State) else written.upper()


_OPTIONS = (
    click.option("--account", help="Only this account."),
    click.option("--status", type=Status(), help="Only this status, in either case."),
    click.option("--flow", help="Only this flow."),
    click.option("--since", type=Since(), help="Only what changed since: a time, or 30m, 2h, 7d."),
    click.option("--limit", type=click.IntRange(1, 10**9), help="At most this many, newest first."),
)


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it takes them as keyword arguments for ``narrowing``."""
    return reduce(lambda given, option: option(given), reversed(_OPTIONS), command)


class Narrowing(TypedDict):
    """What the options give."""

    account: str | None
    status: str | None
    flow: str | None
    since: datetime | None
    limit: int | None


def narrowing(given: Narrowing) -> Filter:
    """Return the filter that the options ask for."""
    return Filter(**given)
