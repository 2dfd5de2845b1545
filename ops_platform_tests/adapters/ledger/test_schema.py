"""The tables that the migrations make, the tables that queries name, and the structs: one shape."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger, LedgerError, open_engine
from ops_platform.adapters.ledger.migrate import upgrade
from ops_platform.domain.events import Event, ExecutionEvent, InstanceEvent, JobEvent
from ops_platform.domain.incidents import Incident

_RENAMED = {"id": "event_id", "time": "changed_at"}


def _shape(table: sa.Table) -> dict[str, tuple[str, bool]]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {
        column.name: (column.type.compile(dialect), bool(column.nullable))
        for column in table.columns
    }


@pytest.fixture
def found(ledger: Ledger) -> sa.MetaData:
    """Give the tables as the database has them."""
    found = sa.MetaData()
    with ledger.transaction() as tx:
        found.reflect(tx)
    return found


def test_there_are_the_tables_that_queries_name_and_no_others(found: sa.MetaData) -> None:
    """But for Alembic's own, and the partitions of events."""
    ours = {name for name in found.tables if not re.fullmatch(r"alembic_version|events_.*", name)}

    assert ours == set(schema.metadata.tables)


@pytest.mark.parametrize("name", sorted(schema.metadata.tables))
def test_a_table_has_the_columns_and_key_that_queries_name(found: sa.MetaData, name: str) -> None:
    """Names, types, whether they may be empty, and the primary key."""
    named, real = schema.metadata.tables[name], found.tables[name]

    assert _shape(real) == _shape(named)
    assert list(real.primary_key.columns.keys()) == list(named.primary_key.columns.keys())


def test_foreign_keys_and_unique_keys_are_those_that_queries_rely_on(ledger: Ledger) -> None:
    """One message in each place, and none of an incident that is not there."""
    with ledger.transaction() as tx:
        inspector = sa.inspect(tx)
        [unique] = inspector.get_unique_constraints("alerts")
        [foreign] = inspector.get_foreign_keys("alerts")

    assert unique["column_names"] == ["incident_id", "channel", "part"]
    assert (foreign["referred_table"], foreign["referred_columns"]) == ("incidents", ["id"])


@pytest.mark.parametrize(
    ("table", "event"),
    [
        (schema.jobs, JobEvent),
        (schema.executions, ExecutionEvent),
        (schema.container_instances, InstanceEvent),
    ],
    ids=str,
)
def test_a_state_table_has_a_column_for_each_field_of_its_event(
    table: sa.Table, event: type[Event]
) -> None:
    """In the order of the fields, after the account."""
    fields = [_RENAMED.get(name, name) for name in event.__struct_fields__]

    assert table.columns.keys()[: len(fields) + 1] == ["account", *fields]


def test_events_have_a_column_for_each_field_of_a_job_event() -> None:
    """Jobs are what is counted most, so their fields are columns; the others are JSON."""
    fields = ["event_id", *JobEvent.__struct_fields__[1:]]

    assert schema.events.columns.keys()[-len(fields) :] == fields


def test_incidents_have_a_column_for_each_field() -> None:
    """And no other."""
    assert set(schema.incidents.columns.keys()) == set(Incident.__struct_fields__)


def test_migrating_a_ledger_that_is_up_to_date_changes_nothing(ledger_url: str) -> None:
    """Every process does so when it begins."""
    engine = open_engine(ledger_url)
    try:
        upgrade(engine)
        upgrade(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize("url", ["", "postgresql", "sqlite:///x", "mysql://host/name"])
def test_an_address_that_is_no_postgres_is_refused_with_a_sentence(url: str) -> None:
    """Before anything is tried."""
    with pytest.raises(LedgerError, match=r"Postgres|postgresql://"):
        Ledger(url)


def test_a_database_that_does_not_answer_is_named_with_what_to_check() -> None:
    """No traceback of a driver's, and no password."""
    ledger = Ledger("postgresql://ops:secret@127.0.0.1:1/nowhere")

    with (
        pytest.raises(LedgerError, match=r"does not answer(.|\n)*Check that it runs") as told,
        ledger.transaction(),
    ):
        pass

    assert "secret" not in str(told.value)
