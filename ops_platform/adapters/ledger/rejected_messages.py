"""Messages that no parser understood, kept whole."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger.schema import rejected_messages
from ops_platform.domain.events import Rejected


def keep(tx: sa.Connection, rejected: Iterable[Rejected], *, now: datetime) -> None:
    """Store each message once, and count how often it came."""
    by_digest = {hashlib.sha256(message.body).digest(): message for message in rejected}
    for digest, message in sorted(by_digest.items()):  # one order for all, so that none deadlock
        statement = insert(rejected_messages).values(
            digest=digest,
            body=message.body,
            error=message.error.replace("\x00", "\ufffd"),
            first_seen_at=now,
            last_seen_at=now,
            times=1,
        )
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["digest"],
                set_={"times": rejected_messages.c.times + 1, "last_seen_at": now},
            )
        )
