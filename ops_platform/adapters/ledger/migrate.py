"""Bring a ledger's tables up to this version, forward only and under a lock."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops_platform.adapters.ledger.database import open_engine

MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 7_264_001


def upgrade(url: str) -> None:
    """Run the migrations that the database at ``url`` lacks.

    Several processes may call it at once: the first works, the others wait and find it done.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
