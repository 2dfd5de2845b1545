"""The state of ECS container instances."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ops_platform.adapters.ledger import rows
from ops_platform.adapters.ledger.schema import container_instances
from ops_platform.domain.events import InstanceEvent
from ops_platform.domain.lifecycle import Instance

_FIELDS = tuple(
    {"id": "event_id", "time": "changed_at"}.get(name, name)
    for name in InstanceEvent.__struct_fields__
)
_COLUMNS = ("account", *_FIELDS, "registered_at")
_SELECTED = [container_instances.c[name] for name in _COLUMNS]


def load(tx: sa.Connection, account: str, arns: Collection[str]) -> dict[str, Instance]:
    """Return the instances of an account by ARN, those that are known."""
    table = container_instances.c
    wanted = table.instance_arn == sa.any_(sa.cast(list(arns), sa.ARRAY(sa.Text)))
    found = tx.execute(sa.select(*_SELECTED).where(table.account == account, wanted))
    return {known.latest.instance_arn: known for known in map(_instance, found)}


def save(tx: sa.Connection, changed: Iterable[Instance]) -> None:
    """Store the instances as they are now."""
    rows.upsert(tx, container_instances, _COLUMNS, map(_row, changed))


def _instance(row: Sequence[Any]) -> Instance:
    account, *fields, registered_at = row
    return Instance(account, InstanceEvent(*fields), registered_at)


def _row(instance: Instance) -> tuple[Any, ...]:
    return (instance.account, *msgspec.structs.astuple(instance.latest), instance.registered_at)
