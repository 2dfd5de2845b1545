"""A ledger of the first version becomes one of the second, and keeps what is in it."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops_platform.adapters.ledger import alerts, incidents
from ops_platform.adapters.ledger.alerts import Alert
from ops_platform.adapters.ledger.database import Ledger, open_engine
from ops_platform.adapters.ledger.migrate import MIGRATIONS
from ops_platform_tests.build import NOON

INCIDENT = """
INSERT INTO incidents (id, account, flow, run_id, kind, state, execution_arn, opened_at,
  failed_jobs, collateral_jobs, steps, reason)
VALUES ('old', 'staging', 'TrainFlow', 'sfn-1', 'run_failed', 'open', 'arn', :at, 1, 0, '{}', 'x')
"""
ALERT = """
INSERT INTO alerts (incident_id, revision, state, due_at, channel, message_ts, permalink, sent_at)
VALUES ('old', 1, :state, :at, :channel, :ts, :permalink, :at)
"""


@pytest.mark.parametrize(
    ("state", "channel", "ts"), [("sent", "#alerts", "17.1"), ("pending", None, None)]
)
def test_what_was_told_before_is_still_known(
    database_url: str, state: str, channel: str | None, ts: str | None
) -> None:
    """Where a message stands is read from its address, so that it can be edited."""
    permalink = "https://x.slack.com/archives/C0123ABCD/p17" if ts else None
    row = {"state": state, "channel": channel, "ts": ts, "permalink": permalink, "at": NOON}
    engine = open_engine(database_url)
    with engine.begin() as tx:
        _upgrade(tx, "0001")
        tx.execute(sa.text(INCIDENT), {"at": NOON})
        tx.execute(sa.text(ALERT), row)
    engine.dispose()

    known, incident = _opened(database_url)

    assert (known.channel, known.part, known.state) == (channel or "", "message", state)
    assert (known.message_ts, known.posted_to) == (ts, "C0123ABCD" if ts else None)
    assert (known.why, known.told, known.plain, known.fallback) == (
        "first notification", None, False, False,
    )  # fmt: skip
    assert incident == "old"


def _opened(database_url: str) -> tuple[Alert, str]:
    ledger = Ledger(database_url)
    try:
        with ledger.transaction() as tx:
            (known,) = alerts.messages_of(tx, "old")
            incident = incidents.load(tx, "old")
    finally:
        ledger.close()
    assert incident is not None
    return known, incident.id


def _upgrade(tx: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)
