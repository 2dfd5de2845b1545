"""The options by which every list is narrowed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TypedDict

import click

from ops_platform.adapters.ledger.queries import Filter
from ops_platform.clock import now
from ops_platform.domain.names import is_account_id
from ops_platform.settings.model import Settings

Command = Callable[..., None]
_SPAN = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """Return the moment that a text means: ISO 8601, or how long ago."""
    try:
        if match := _SPAN.fullmatch(text):
            return now() - timedelta(**{_UNITS[match[2]]: int(match[1])})
        return _date(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time; write 2026-01-31, 2026-01-31T12:00:00Z or 2h."
        ) from None


def end(text: str) -> datetime:
    """Return the moment that a text means: ISO 8601, or how long from now."""
    try:
        if match := _SPAN.fullmatch(text):
            return now() + timedelta(**{_UNITS[match[2]]: int(match[1])})
        return _date(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time to come; write 2h, 3d or 2026-01-31T12:00:00Z."
        ) from None


def _date(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_OPTIONS = (
    click.option("--account", help="Only this account, by its name in the settings."),
    click.option("--flow", help="Only this flow."),
    click.option(
        "--since",
        type=moment,
        metavar="TIME",
        help="Only what changed since: a time, or 30m, 2h, 7d.",
    ),
    click.option("--limit", type=click.IntRange(1, 10**9), help="At most this many, newest first."),
)


def filter_options(*statuses: str) -> Callable[[Command], Command]:
    """Give a command the options; it takes them as keyword arguments for ``narrowing``.

    ``statuses`` are those that the rows can have; either case is taken. Without any there is no
    such option.
    """
    # As they are shown: click would ask for the names of an enumeration.
    known = click.Choice([str(each) for each in statuses], case_sensitive=False)
    status = click.option("--status", type=known, help="Only this status, in either case.")
    options = (*_OPTIONS, status) if statuses else _OPTIONS
    return lambda command: reduce(lambda given, option: option(given), reversed(options), command)


class Narrowing(TypedDict):
    """What the options give."""

    account: str | None
    status: str | None
    flow: str | None
    since: datetime | None
    limit: int | None


def narrowing(given: Narrowing, settings: Settings) -> Filter:
    """Return the filter that the options ask for.

    Raises:
        PlatformError: The account is none of the settings; an empty list would hide the slip.
    """
    account = given["account"]
    if account is not None and not is_account_id(account):
        settings.account(account)
    return Filter(**given)
