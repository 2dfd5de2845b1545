"""Finds a setting among the tables, and says what is allowed there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ops_platform.settings.fields import Allowed
from ops_platform.settings.model import SettingsFile

# Filled in from the environment; it has no key in the file.
ENVIRONMENT_ONLY = "slack.token"


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the settings: the type of what stands there, and the notes on that type."""

    kind: Any
    notes: tuple[object, ...] = ()
    field: FieldInfo | None = None

    @property
    def table(self) -> type[BaseModel] | None:
        """The model of the table that stands here, or None if something else does."""
        is_table = isinstance(self.kind, type) and issubclass(self.kind, BaseModel)
        return self.kind if is_table else None

    def child(self, part: int | str) -> "Node | None":
        """Return what stands under a key or an index, or None if nothing may."""
        if self.table is not None:
            field = self.table.model_fields.get(str(part))
            return _node(field.annotation, tuple(field.metadata), field) if field else None
        origin, arguments = get_origin(self.kind), get_args(self.kind)
        if origin is tuple:
            return _node(arguments[0])
        return _node(arguments[1]) if origin is Mapping else None

    @property
    def keys(self) -> list[str]:
        """The keys that may stand in the table here."""
        return list(self.table.model_fields) if self.table else []

    @property
    def allowed(self) -> str:
        """What a person may write here."""
        for note in self.notes:
            if isinstance(note, Allowed):
                return note.text
        if get_origin(self.kind) is Literal:
            *others, last = (f'"{choice}"' for choice in get_args(self.kind))
            return f"{', '.join(others)} or {last}"
        if self.kind is bool:
            return "true or false"
        limits = _limits(self.notes)
        return f"a whole number from {limits[0]} to {limits[1]}" if limits else "a table"


ROOT = Node(SettingsFile)


def at(path: tuple[int | str, ...]) -> Node | None:
    """Return the place that keys and indexes lead to, or None if there is no such key."""
    node: Node | None = ROOT
    for part in path:
        node = node.child(part) if node else None
    return node


def leaves(node: Node = ROOT, key: str = "") -> Iterator[tuple[str, Node]]:
    """Yield each setting with its key, as the documentation writes it."""
    if _holds_tables(node):
        yield from _below(node, 0, f"{key}[]")
    elif get_origin(node.kind) is Mapping:
        yield from _below(node, "", f"{key}.<name>")
    elif node.table and not any(isinstance(note, Allowed) for note in node.notes):
        for name in node.keys:
            yield from _below(node, name, f"{key}.{name}" if key else name)
    elif key != ENVIRONMENT_ONLY:
        yield key, node


def _holds_tables(node: Node) -> bool:
    """Tell an array of tables from a list of plain values, which is one setting."""
    item = node.child(0) if get_origin(node.kind) is tuple else None
    return item is not None and item.table is not None


def _below(node: Node, part: int | str, key: str) -> Iterator[tuple[str, Node]]:
    child = node.child(part)
    return leaves(child, key) if child else iter(())


def _node(annotation: Any, notes: tuple[object, ...] = (), field: FieldInfo | None = None) -> Node:  # noqa: ANN401
    """Take ``Annotated`` and ``| None`` off a type, keeping the notes."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _node(inner, (*notes, *_unpacked(more)), field)
    choices = [choice for choice in get_args(annotation) if choice is not NoneType]
    if NoneType in get_args(annotation) and len(choices) == 1:
        return _node(choices[0], notes, field)
    return Node(annotation, notes, field)


def _unpacked(notes: Iterable[object]) -> Iterator[object]:
    """Yield the notes of pydantic's ``Field(...)`` one by one, as it does itself for a field."""
    for note in notes:
        yield from note.metadata if isinstance(note, FieldInfo) else (note,)


def _limits(notes: tuple[object, ...]) -> tuple[object, object] | None:
    low = next((note.ge for note in notes if isinstance(note, Ge)), None)
    high = next((note.le for note in notes if isinstance(note, Le)), None)
    return None if low is None or high is None else (low, high)
