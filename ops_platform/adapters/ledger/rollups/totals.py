"""What metrics come to over a whole period, by some of their dimensions."""

from collections.abc import Sequence

import sqlalchemy as sa

from ops_platform.adapters.ledger.queries import Row, fetch, one_of
from ops_platform.adapters.ledger.schema import metrics_hourly
from ops_platform.domain.hours import Hours


def totals(
    tx: sa.Connection, metrics: Sequence[str], *, by: Sequence[str], hours: Hours
) -> list[Row]:
    """Return a row for each metric and group that has anything: its sum, or else its count.

    ``by`` are dimensions that all of the metrics have; one that is unknown is "".
    """
    c = metrics_hourly.c
    groups = [sa.func.coalesce(c.dimensions[name].astext, "").label(name) for name in by]
    number = sa.func.coalesce(c.sum, c.count)
    # In a fixed order, so that the same rows always come to the same sum.
    total = sa.func.sum(sa.dialects.postgresql.aggregate_order_by(number, number)).label("total")
    query = (
        sa.select(c.metric, *groups, total)
        .where(one_of(c.metric, metrics), c.hour >= hours.begin, c.hour < hours.end, number != 0)
        .group_by(c.metric, *groups)
    )
    return fetch(tx, query)
