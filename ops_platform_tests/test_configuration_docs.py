"""The page of settings is held to the code."""

import json
import re
from datetime import date
from pathlib import Path
from typing import get_origin

import pytest
from pydantic import BaseModel

from ops_platform.domain.incidents import Kind
from ops_platform.domain.routes import Stage, severity
from ops_platform.settings.load import load
from ops_platform.settings.problems import SettingsError
from ops_platform.settings.walk import Node, leaves
from ops_platform_tests.build import an_incident

_PAGE = Path(__file__).parents[1] / "docs/configuration.md"
_TEXT = _PAGE.read_text()
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| (.*?) \| (.+) \|$", re.MULTILINE)
_LEAVES = dict(leaves())
_BROKE = "A run failed or timed out; a schedule was missed; a queue is blocked"
_LESS = "A run was aborted by a person; a job does not start, and nothing has failed yet"
_HAPPENED = {
    Kind.RUN_FAILED: _BROKE,
    Kind.RUN_TIMED_OUT: _BROKE,
    Kind.MISSED_SCHEDULE: _BROKE,
    Kind.QUEUE_BLOCKED: _BROKE,
    Kind.RUN_ABORTED: _LESS,
    Kind.JOB_STUCK: _LESS,
    Kind.INTERACTIVE_FAILED: "A run that somebody started by hand failed",
    Kind.CHANGE_FAILED: "A change of production failed, and all of it was put back",
    Kind.PLATFORM_STALLED: "The platform itself stands still",
}


def _documented() -> dict[str, tuple[str, str, str]]:
    return {key: (kind, default, allowed) for key, kind, default, allowed, _ in _ROW.findall(_TEXT)}


def _example() -> str:
    found = re.search(r"```toml\n(.*?)```", _TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def _kind(node: Node) -> str:
    names = {
        int: "whole number",
        bool: "true or false",
        tuple: "list of texts",
        date: "date",
        float: "number",
    }
    plain = names.get(get_origin(node.kind) or node.kind, "text")
    return "text or table" if node.table else plain


def _default(node: Node) -> str:
    if node.field is None or node.field.default is None:
        return ""
    if node.field.is_required():
        return "required"
    default = node.field.default
    if isinstance(default, int):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`{json.dumps(default)}`"
    return f"`{default or chr(34) * 2}`"


def test_the_page_has_every_setting_and_no_other() -> None:
    """In the order of the code."""
    assert list(_documented()) == list(_LEAVES)


@pytest.mark.parametrize("key", sorted(_LEAVES))
def test_a_row_says_what_the_code_says(key: str) -> None:
    """Type, default, and what is allowed, in the very words of the errors."""
    node = _LEAVES[key]
    kind, default, allowed = _documented()[key]

    assert (kind, allowed) == (_kind(node), node.allowed)
    # The embedded edition can do without a queue, a settings file cannot.
    assert default == ("required" if key == "accounts[].event_queue_url" else _default(node))


def test_the_example_loads(tmp_path: Path) -> None:
    """A reader can start from it."""
    (tmp_path / "ops_platform.toml").write_text(_example())

    settings = load({}, cwd=tmp_path)

    assert [account.name for account in settings.accounts] == ["staging", "production", "sandbox"]


def test_the_example_has_every_setting(tmp_path: Path) -> None:
    """So that each key can be seen in its place."""
    (tmp_path / "ops_platform.toml").write_text(_example())
    settings = load({}, cwd=tmp_path)
    given: set[str] = set()
    _collect(settings, "", given)

    assert set(_LEAVES) <= given


def _collect(value: object, key: str, given: set[str]) -> None:
    if isinstance(value, tuple) and key not in _LEAVES:
        for inner in value:
            _collect(inner, f"{key}[]", given)
    elif isinstance(value, dict):
        given.update(f"{key}.<name>" for _ in value)
    elif isinstance(value, BaseModel) and key not in _LEAVES:
        for name in value.model_fields_set:
            _collect(getattr(value, name), f"{key}.{name}".removeprefix("."), given)
    else:
        given.add(key)


def test_the_routes_it_shows_load(tmp_path: Path) -> None:
    """In a file that is otherwise the example."""
    routes = re.findall(r"```toml\n(.*?)```", _TEXT, re.DOTALL)[1]
    (tmp_path / "ops_platform.toml").write_text(_example() + routes)

    settings = load({}, cwd=tmp_path)

    assert [route.channels for route in settings.alerts.routes[1:]] == [
        ("#ml-oncall",),
        ("#demand",),
    ]


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("kind", Kind)
def test_the_severities_it_shows_are_those_of_the_code(kind: Kind, stage: Stage) -> None:
    """Each kind of incident is in a row, each stage in a column."""
    row = re.search(rf"^\| {_HAPPENED[kind]} \| (\w+) \| (\w+) \|$", _TEXT, re.MULTILINE)
    assert row is not None
    production, staging = row.groups()

    shown = production if stage is Stage.PRODUCTION else staging

    assert shown == severity(an_incident(kind=kind), stage)


def test_the_errors_it_shows_are_real(tmp_path: Path) -> None:
    """They are printed as the page prints them."""
    broken = _example().replace("settle_seconds", "setle_seconds", 1)
    first, second, rest = broken.partition('name = "production"')
    (tmp_path / "ops_platform.toml").write_text(
        first + second + rest.replace('region = "eu-central-1"', 'region = "eu"', 1)
    )

    with pytest.raises(SettingsError) as caught:
        load({}, cwd=tmp_path)

    for line in str(caught.value).splitlines():
        assert line.removeprefix(f"{tmp_path}/") in _TEXT


@pytest.mark.parametrize(
    "variable",
    ["OPS_PLATFORM_CONFIG", "OPS_PLATFORM_DATABASE_URL", "SLACK_BOT_TOKEN", "OPS_STATE_DIR"],
)
def test_every_variable_is_explained(variable: str) -> None:
    """In the table of environment variables."""
    assert f"\n| `{variable}` | " in _TEXT
