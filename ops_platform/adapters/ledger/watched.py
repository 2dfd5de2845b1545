"""Since when the platform watches an account, and when it last looked for stale jobs there.

What ended before an account was watched is no news.
"""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import watched


def begin(tx: sa.Connection, accounts: Collection[str], now: datetime) -> None:
    """Remember that the accounts are watched from now on, unless they were before."""
    if accounts:
        # In one order for all, so that no two wait for each other.
        rows = [{"account": account, "since": now} for account in sorted(accounts)]
        tx.execute(insert(watched).values(rows).on_conflict_do_nothing())


def since(tx: sa.Connection, account: str) -> datetime | None:
    """Return since when an account is watched, None if it is not."""
    return tx.scalar(sa.select(watched.c.since).where(watched.c.account == account))


def cleaned(tx: sa.Connection, account: str, now: datetime) -> None:
    """Remember that all queues of an account were looked at for stale jobs."""
    begin(tx, [account], now)
    mine = watched.c.account == account
    tx.execute(sa.update(watched).where(mine).values(cleaned_at=now))
