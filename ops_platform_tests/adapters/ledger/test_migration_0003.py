"""A ledger of the second version becomes one of the third, and keeps what is in it."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ops_platform.adapters.ledger import cancellations, queue_state
from ops_platform.adapters.ledger.database import Ledger, open_engine
from ops_platform.adapters.ledger.migrate import MIGRATIONS
from ops_platform.adapters.ledger.schema import jobs, watched
from ops_platform.domain.lifecycle import Job
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event
from ops_platform_tests.build_stale import a_judgement


def test_what_was_known_before_is_found_by_its_queue(database_url: str) -> None:
    """And what is done from now on can be recorded."""
    engine = open_engine(database_url)
    with engine.begin() as tx:
        _upgrade(tx, "0002")
        tx.execute(sa.insert(jobs).values(_columns()))
        tx.execute(sa.text("INSERT INTO watched VALUES (:account, :at)"), _WATCHED)
    engine.dispose()

    ledger = Ledger(database_url)
    try:
        with ledger.transaction() as tx:
            assert queue_state.last_start(tx, ACCOUNT, "arn:job-queue/flows") == NOON
            assert cancellations.ask(tx, a_judgement(), now=NOON, asked_by="a run") is not None
            assert tx.scalar(sa.select(watched.c.cleaned_at)) is None
    finally:
        ledger.close()


_WATCHED = {"account": ACCOUNT, "at": NOON}


def _columns() -> dict[str, object]:
    job = Job(ACCOUNT, a_job_event(status="SUCCEEDED"), starting_at=NOON)
    latest = {name: getattr(job.latest, name) for name in job.latest.__struct_fields__}
    named = {"event_id": latest.pop("id"), "changed_at": latest.pop("time"), "attempts": []}
    return latest | named | {"account": job.account, "starting_at": job.starting_at}


def _upgrade(tx: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = tx
    command.upgrade(config, revision)
