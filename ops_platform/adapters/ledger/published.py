"""What CloudWatch was given: which hours, and the requests that it was not surely given yet.

A request is noted as being sent before it is sent, and forgotten once CloudWatch has taken it. So
one that is noted and was not forgotten may have arrived, or not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.queries import fetch
from ops_platform.adapters.ledger.rollups.hourly import HOURLY
from ops_platform.adapters.ledger.schema import metric_requests, published_hours, rollups

_h, _r = published_hours.c, metric_requests.c


@dataclass(frozen=True, slots=True)
class Target:
    """Where metrics are published: a namespace in the account of that name."""

    account: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Computed:
    """An hour of a noun as it was computed last."""

    noun: str
    hour: datetime
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is to be sent, or, if it has ``sending_at``, that may have been."""

    id: int
    hour: datetime
    body: bytes
    sending_at: datetime | None


@dataclass(frozen=True, slots=True)
class Print:
    """What was published of an hour, in short: by which cuts, and which data."""

    cuts: bytes
    digest: bytes


def unpublished(
    tx: sa.Connection, target: Target, *, begin: datetime, end: datetime
) -> list[Computed]:
    """Return the hours of a period that were computed whole and not published, in order."""
    known = sa.select(_h.hour).where(
        _is_of(target), _h.noun == rollups.c.noun, _h.hour == rollups.c.began
    )
    return _computed(tx, rollups.c.began >= begin, rollups.c.began < end, ~known.exists())


def recomputed(
    tx: sa.Connection, target: Target, *, begin: datetime
) -> list[tuple[Computed, Print]]:
    """Return the published hours that were computed anew since they were looked at last."""
    c = rollups.c
    same = (_h.noun == c.noun) & (_h.hour == c.began) & (c.computed_at > _h.computed_at)
    query = (
        sa.select(c.noun, c.began, c.computed_at, _h.cuts, _h.digest)
        .join_from(rollups, published_hours, same)
        .where(c.grain == HOURLY, ~c.partial, c.began >= begin, _is_of(target))
        .order_by(c.began, c.noun)
    )
    return [(Computed(*row[:3]), Print(*row[3:])) for row in tx.execute(query)]


def plan(
    tx: sa.Connection, target: Target, hour: Computed, made: Print, requests: Sequence[bytes]
) -> bool:
    """Note what of an hour is to be sent; False if another run has, or it was computed anew."""
    values = {"account": target.account, "namespace": target.namespace, "hour": hour.hour}
    still = sa.select(rollups.c.began).where(
        rollups.c.grain == HOURLY,
        rollups.c.noun == hour.noun,
        rollups.c.began == hour.hour,
        rollups.c.computed_at == hour.computed_at,
    )
    if tx.scalar(still.with_for_update(read=True)) is None:
        return False
    noted = insert(published_hours).values(
        **values,
        noun=hour.noun,
        computed_at=hour.computed_at,
        cuts=made.cuts,
        digest=made.digest,
        requests=len(requests),
    )
    if tx.scalar(noted.on_conflict_do_nothing().returning(_h.hour)) is None:
        return False
    if requests:
        tx.execute(sa.insert(metric_requests), [{**values, "body": body} for body in requests])
    return True


def look_again(
    tx: sa.Connection, target: Target, hour: Computed, *, changed_at: datetime | None
) -> None:
    """Note that a published hour was compared with what was computed, and whether it differs."""
    values: dict[str, object] = {"computed_at": hour.computed_at}
    if changed_at is not None:
        values["changed_at"] = changed_at
    this = (_h.noun == hour.noun) & (_h.hour == hour.hour)
    tx.execute(sa.update(published_hours).where(_is_of(target), this).values(values))


def changed(tx: sa.Connection, target: Target) -> list[tuple[str, datetime]]:
    """Return the hours, of which noun, that differ from what was published of them."""
    query = sa.select(_h.noun, _h.hour).where(_is_of(target), _h.changed_at.is_not(None))
    return [(noun, hour) for noun, hour in tx.execute(query.order_by(_h.hour, _h.noun))]


def requests(tx: sa.Connection, target: Target) -> list[Request]:
    """Return the requests that are not surely sent, oldest hour first."""
    mine = (_r.account == target.account) & (_r.namespace == target.namespace)
    query = sa.select(_r.id, _r.hour, _r.body, _r.sending_at).where(mine)
    return [Request(**row) for row in fetch(tx, query.order_by(_r.hour, _r.id))]


def begin_to_send(tx: sa.Connection, request: Request, now: datetime) -> Request | None:
    """Note that a request is being sent, and return it so; None if somebody else sends it."""
    free = sa.update(metric_requests).where(_r.id == request.id, _r.sending_at.is_(None))
    if tx.scalar(free.values(sending_at=now).returning(_r.id)) is None:
        return None
    return replace(request, sending_at=now)


def put_back(tx: sa.Connection, request: Request) -> None:
    """Note that a request did not arrive when it was sent, unless it was sent again since."""
    same = (_r.id == request.id) & (_r.sending_at == request.sending_at)
    tx.execute(sa.update(metric_requests).where(same).values(sending_at=None))


def forget(tx: sa.Connection, gone: Iterable[Request]) -> None:
    """Forget requests that arrived, or that CloudWatch would not take any more."""
    ids = [request.id for request in gone]
    tx.execute(sa.delete(metric_requests).where(_r.id.in_(ids)))


def prune(tx: sa.Connection, target: Target, *, before: datetime) -> None:
    """Forget the hours that are too old to be published again."""
    tx.execute(sa.delete(published_hours).where(_is_of(target), _h.hour < before))


def _is_of(target: Target) -> sa.ColumnElement[bool]:
    return (_h.account == target.account) & (_h.namespace == target.namespace)


def _computed(tx: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Computed]:
    c = rollups.c
    query = sa.select(c.noun, c.began.label("hour"), c.computed_at)
    whole = query.where(c.grain == HOURLY, ~c.partial, *conditions)
    return [Computed(**row) for row in fetch(tx, whole.order_by(c.began, c.noun))]
