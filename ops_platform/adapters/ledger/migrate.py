"""Bring a ledger's tables up to this version, forward only and under a lock."""

from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 7_264_001


def upgrade(engine: sa.Engine) -> None:
    """Run the migrations that the database lacks.

    Several processes may do so at once: the first works, the others wait and find it done.
    """
    # Alembic is needed once in a process, and loading the code location must not pay for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
