"""The state of ECS container instances."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.queries import one_of
from ops_platform.adapters.ledger.schema import columns_of, container_instances
from ops_platform.domain.events import InstanceEvent
from ops_platform.domain.lifecycle import Instance

_COLUMNS = ("account", *columns_of(InstanceEvent), "registered_at", "deregistered_at")
_SELECTED = [container_instances.c[name] for name in _COLUMNS]


def load(tx: sa.Connection, account: str, arns: Collection[str]) -> dict[str, Instance]:
    """Return the instances of an account by ARN, those that are known."""
    table = container_instances.c
    wanted = one_of(table.instance_arn, arns)
    found = tx.execute(sa.select(*_SELECTED).where(table.account == account, wanted))
    return {known.latest.instance_arn: known for known in map(_instance, found)}


def save(tx: sa.Connection, changed: Iterable[Instance]) -> None:
    """Store the instances as they are now."""
    rows.upsert(tx, container_instances, _COLUMNS, map(_row, changed))


def _instance(row: Sequence[Any]) -> Instance:
    account, *fields, registered_at, deregistered_at = row
    return Instance(account, InstanceEvent(*fields), registered_at, deregistered_at)


def _row(instance: Instance) -> tuple[Any, ...]:
    latest = msgspec.structs.astuple(instance.latest)
    return (instance.account, *latest, instance.registered_at, instance.deregistered_at)
