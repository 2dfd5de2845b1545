"""Connections to the ledger: none waits for ever, and no error shows what was stored."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ops_platform.adapters.ledger import database
from ops_platform.adapters.ledger.database import Ledger, LedgerError
from ops_platform_tests.ledger_world import open_ledger


@pytest.mark.parametrize(
    "limit", ["lock_timeout", "idle_in_transaction_session_timeout"], ids=["waiting", "stopped"]
)
def test_nobody_holds_or_waits_for_a_lock_for_ever(ledger: Ledger, limit: str) -> None:
    """A process that was stopped within a transaction would else stop ingest with it."""
    with ledger.transaction() as tx:
        shown = tx.scalar(sa.text(f"SHOW {limit}"))

    assert shown in {"50s", "1min"}


def test_an_error_does_not_show_the_values_of_a_statement(ledger: Ledger) -> None:
    """Dagster shows errors to everybody, and a rejected message may hold a token."""
    with pytest.raises(DBAPIError) as failed, ledger.transaction() as tx:
        tx.execute(sa.text("SELECT 1 / (length(:secret) - 6)"), {"secret": "s3cret"})

    assert "s3cret" not in str(failed.value)


def test_who_waits_too_long_for_another_is_told_so(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence; and whoever was first is not disturbed."""
    monkeypatch.setattr(database, "_SESSION", (*database._SESSION, "lock_timeout=100ms"))
    second = {"alone": "rollup of jobs", "beside": "history"}
    with open_ledger(ledger_url) as impatient, ledger.snapshot(**second) as tx:
        with (
            pytest.raises(LedgerError, match=r"Somebody else .* rollup of jobs or history"),
            impatient.snapshot(**second),
        ):
            pytest.fail("two are within it")
        assert tx.scalar(sa.select(1)) == 1
