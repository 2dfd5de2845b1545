"""What the ledger tells of the platform itself: what comes in, what goes out, and what does not."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ops_platform.adapters.ledger.alerts import OPEN
from ops_platform.adapters.ledger.queries import fetch, one_of
from ops_platform.adapters.ledger.schema import (
    alerts,
    events,
    incidents,
    rejected_messages,
    state_machines,
    watched,
)
from ops_platform.domain.health_rules import Cleanup, Outbox, Reconciliation
from ops_platform.domain.outbox import UNTELLABLE, State

# Events that were made of what an API told did not come out of a queue.
_MADE = "api:"
_RATE_LIMITED = "rate limited"
_UNSURE = (State.SENDING, State.AMBIGUOUS)
_COUNTED_AT_MOST = 1000


def comes_in(tx: sa.Connection, accounts: Collection[str], *, since: datetime) -> bool:
    """Tell whether the ledger holds an event that happened since then and came out of a queue."""
    fresh = (
        sa.exists()
        .where(events.c.time > since, one_of(events.c.account, accounts))
        .where(~events.c.event_id.startswith(_MADE, autoescape=True))
    )
    return bool(tx.scalar(sa.select(fresh)))


def rejected(tx: sa.Connection, *, since: datetime) -> int:
    """Return how many messages were first rejected since then, up to a thousand."""
    recent = (
        sa.select(rejected_messages.c.digest)
        .where(rejected_messages.c.first_seen_at > since)
        .limit(_COUNTED_AT_MOST)
        .subquery()
    )
    return tx.scalar(sa.select(sa.func.count()).select_from(recent)) or 0


def outbox(
    tx: sa.Connection,
    account: str,
    *,
    now: datetime,
    limit: timedelta,
    tried: int,
    dead_within: timedelta,
) -> Outbox:
    """Return which alerts of an account are not delivered, though it is ``limit`` late.

    A message that was tried ``tried`` times is one that Slack does not take. One that Slack only
    wants later counts while Slack takes nothing else either.
    """
    before, c = now - limit, alerts.c
    is_open, sent = c.state.in_(OPEN), c.state.in_((State.SENT, *OPEN))
    is_unsure = c.state.in_(_UNSURE) & (c.sending_at <= before)
    is_overdue = is_open & ~is_unsure & (c.due_at <= before)
    is_limited = sa.func.coalesce(c.reason, "").startswith(_RATE_LIMITED)
    takes_some = sa.exists().where(_of(account), sent, alerts.c.sent_at > before).correlate(None)
    cannot = sa.func.coalesce(c.reason, "").startswith(UNTELLABLE)
    is_stuck = is_open & ~is_unsure & ~is_overdue & (cannot | (c.attempts >= tried))
    is_refused = is_stuck & ~(is_limited & takes_some)
    is_dead = (c.state == State.DEAD) & (c.due_at > now - dead_within)
    query = (
        sa.select(
            sa.func.count().filter(is_overdue).label("overdue"),
            sa.func.min(c.due_at).filter(is_overdue).label("overdue_since"),
            sa.func.count().filter(is_refused).label("refused"),
            sa.func.min(c.reason).filter(is_refused).label("refusal"),
            sa.func.count().filter(is_unsure).label("unsure"),
            sa.func.min(c.sending_at).filter(is_unsure).label("unsure_since"),
            sa.func.count().filter(is_dead).label("dead"),
        )
        .join(incidents, incidents.c.id == c.incident_id)
        .where(incidents.c.account == account)
        .where(sa.or_(is_open, is_dead))
    )
    return Outbox(account, **_only(tx, query))


def reconciliation(
    tx: sa.Connection, account: str, *, now: datetime, within: timedelta
) -> Reconciliation:
    """Return how far the executions of an account's state machines are read."""
    until = state_machines.c.reconciled_until
    is_behind = until <= now - within
    since = sa.select(watched.c.since).where(watched.c.account == account).scalar_subquery()
    query = sa.select(
        sa.func.count().label("machines"),
        sa.func.count().filter(is_behind).label("behind"),
        sa.func.min(until).label("oldest"),
        sa.func.count().filter(until.is_(None)).label("unread"),
        since.label("watched_since"),
    ).where(state_machines.c.account == account, state_machines.c.is_metaflow)
    return Reconciliation(account, **_only(tx, query))


def cleanup(tx: sa.Connection, account: str) -> Cleanup:
    """Return when an account was last searched for stale jobs."""
    query = sa.select(watched.c.cleaned_at, watched.c.since).where(watched.c.account == account)
    row = tx.execute(query).first()
    return Cleanup(account, *row) if row else Cleanup(account)


def _of(account: str) -> sa.ColumnElement[bool]:
    ours = sa.select(incidents.c.id).where(incidents.c.account == account)
    return alerts.c.incident_id.in_(ours)


def _only(tx: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> dict[str, Any]:
    (row,) = fetch(tx, query)
    return row
