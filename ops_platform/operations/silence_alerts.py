"""Mute what nobody wants to hear of for a while, and unmute it; each by somebody's word."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from ops_platform.adapters.ledger import outbox_lists, silences
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.outbox_lists import OpenIncident
from ops_platform.domain.names import is_account_id, matches, no_such_account
from ops_platform.domain.silences import Silence
from ops_platform.operations.by_hand import RefusedError, author, reason, signed

PATTERNS = ("account", "project", "flow", "owner")
SHOWN = 20
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Silenced:
    """A silence, and what it mutes already; one not stored has the number 0.

    ``mutes`` has the first ``SHOWN`` of the open incidents, ``muted`` is the number of all.
    """

    silence: Silence
    muted: int
    mutes: Sequence[OpenIncident]


@dataclass(frozen=True, slots=True)
class Expired:
    """A silence that is over, and how many messages it held back."""

    silence: Silence
    released: int


def silence(
    ledger: Ledger,
    patterns: Mapping[str, str | None],
    *,
    who: str,
    why: str,
    now: datetime,
    ends_at: datetime,
    accounts: Collection[str],
    everything: bool = False,
    dry_run: bool = False,
) -> Silenced:
    """Mute the incidents that match all patterns until ``ends_at``.

    Args:
        ledger: Where it is written.
        patterns: Names of account, project, flow and owner, in which ``*`` stands for anything.
        who: By whose word.
        why: For what reason.
        now: The time.
        ends_at: When it is over.
        accounts: The accounts there are.
        everything: That it is meant to mute all there is, if no pattern is given.
        dry_run: To tell what it would mute, and write nothing.

    Raises:
        RefusedError: It cannot be meant so; the text says why.
    """
    given = {name: patterns.get(name) or None for name in PATTERNS}
    _check(given, accounts, everything=everything)
    _check_end(ends_at, now)
    made = Silence(
        id=0, author=author(who), reason=reason(why), created_at=now, ends_at=ends_at, **given
    )
    with ledger.transaction() as tx:
        if not dry_run:
            made = silences.add(
                tx, author=made.author, reason=made.reason, now=now, ends_at=ends_at, **given
            )
        muted = filter(made.mutes, outbox_lists.open_incidents(tx))
        first = list(islice(muted, SHOWN))
        return Silenced(made, len(first) + sum(1 for _ in muted), first)


def expire(ledger: Ledger, silence_id: int, *, who: str, why: str, now: datetime) -> Expired:
    """End a silence now, so that what it held back is told.

    Raises:
        RefusedError: There is none of this number that holds.
    """
    word = signed(who, why)
    with ledger.transaction() as tx:
        released = outbox_lists.held_back(tx).get(silence_id, 0)
        ended = silences.expire(tx, silence_id, by=word, now=now)
    if ended is None:
        raise RefusedError(
            f"There is no silence {silence_id} that holds; `ops-platform silences list` shows them."
        )
    return Expired(ended, released)


def in_words(silence: Silence) -> str:
    """Return what a silence mutes."""
    given = msgspec.structs.asdict(silence)
    named = [f"{name} {given[name]}" for name in PATTERNS if given[name] is not None]
    return ", ".join(named) or "everything"


def _check_end(ends_at: datetime, now: datetime) -> None:
    if ends_at <= now:
        raise RefusedError(f"{ends_at:%F %H:%M} UTC is over already; give a time to come.")
    if ends_at - now > LONGEST:
        raise RefusedError(
            f"{ends_at:%F} is more than a year away. Silence it for less; what nobody wants to"
            " hear of at all is a matter for the settings."
        )


def _check(given: Mapping[str, str | None], accounts: Collection[str], *, everything: bool) -> None:
    has_pattern = any(given.values())
    if not has_pattern and not everything:
        raise RefusedError(
            f"This would mute everything: give one of {', '.join(PATTERNS)}, or set everything"
            " to true."
        )
    if has_pattern and everything:
        raise RefusedError("Give names or everything, but not both.")
    account = given["account"]
    if account is None or is_account_id(account):
        return
    if not any(matches(name, account) for name in accounts):
        raise RefusedError(no_such_account(account, accounts))
