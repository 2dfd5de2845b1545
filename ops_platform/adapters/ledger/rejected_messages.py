"""Messages that no parser understood, kept whole."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import rejected_messages
from ops_platform.domain.events import Rejected


def keep(tx: sa.Connection, rejected: Iterable[Rejected], *, now: datetime) -> None:
    """Store each message once, and count how often it came."""
    keyed = [(hashlib.sha256(message.body).digest(), message) for message in rejected]
    times = Counter(digest for digest, _ in keyed)
    for digest, message in sorted(dict(keyed).items()):  # one order for all, so none deadlock
        statement = insert(rejected_messages).values(
            digest=digest,
            body=message.body,
            error=message.error.replace("\x00", "\ufffd"),
            first_seen_at=now,
            last_seen_at=now,
            times=times[digest],
        )
        counted = rejected_messages.c.times + statement.excluded.times
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["digest"], set_={"times": counted, "last_seen_at": now}
            )
        )
