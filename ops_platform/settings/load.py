"""Reads the settings, from the file or for the embedded edition, with the environment on top."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ops_platform.settings.edition import (
    EMBEDDED_FILE,
    EMBEDDED_TOKEN,
    STATE_FOLDER,
    STATE_VARIABLE,
    embedded_tables,
)
from ops_platform.settings.explain import explain
from ops_platform.settings.model import Settings, SettingsFile
from ops_platform.settings.problems import Problem, SettingsError
from ops_platform.settings.rules import broken_rules

FILE_NAME = "ops_platform.toml"
CONFIG_VARIABLE = "OPS_PLATFORM_CONFIG"
# Table, key, and what names the variable: a key of the same table, and its default.
SECRETS = (
    ("database", "url", ("url_env", "OPS_PLATFORM_DATABASE_URL")),
    ("slack", "token", ("token_env", "SLACK_BOT_TOKEN")),
)


def load(environ: Mapping[str, str], *, cwd: Path | None = None) -> Settings:
    """Return the settings in effect; without a settings file, those of the embedded edition.

    Args:
        environ: The environment, which names the file and holds the secrets.
        cwd: The folder that relative paths start from; the current one by default.

    Raises:
        SettingsError: The settings cannot be used. Every problem is named at once.
    """
    cwd = cwd or Path.cwd()
    state_dir = cwd / (environ.get(STATE_VARIABLE) or STATE_FOLDER)
    file = settings_file(environ, cwd=cwd)
    if file is None:
        given, source = embedded_tables(state_dir), state_dir / EMBEDDED_FILE
        # The embedded Slack takes any token; a real one must not be sent to it.
        environ = {**environ, "SLACK_BOT_TOKEN": EMBEDDED_TOKEN}
    else:
        given, source = _read(file), file
    tables = _validated(given, environ, source=source, complete=file is not None)
    return Settings(
        **dict(tables), edition="aws" if file else "embedded", state_dir=state_dir, file=file
    )


def settings_file(environ: Mapping[str, str], *, cwd: Path) -> Path | None:
    """Return the path of the settings file, or None if there is none and none is asked for."""
    if named := environ.get(CONFIG_VARIABLE):
        return cwd / named
    return cwd / FILE_NAME if (cwd / FILE_NAME).exists() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        sentence = f"cannot be read ({error.strerror}); {CONFIG_VARIABLE} names the settings file"
    except UnicodeDecodeError:
        sentence = "is not UTF-8 text; save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        sentence = f"is not TOML: {error}"
    raise SettingsError([Problem(str(file), sentence)])


def _validated(
    given: dict[str, Any], environ: Mapping[str, str], *, source: Path, complete: bool
) -> SettingsFile:
    """Return the tables, typed; ``complete`` asks for what only AWS must have."""
    tables = _numbered(given)
    problems = list(broken_rules(tables, given)) if complete else []
    for table, key, variable in SECRETS:
        tables[table] = _with_secret(tables.get(table, {}), key, variable, environ)
    try:
        typed = SettingsFile.model_validate(tables)
    except ValidationError as error:
        raise SettingsError([*explain(error, given), *problems], source=str(source)) from None
    if problems:
        raise SettingsError(problems, source=str(source))
    return typed


def _numbered(given: dict[str, Any]) -> dict[str, Any]:
    """Turn accounts written as ``[accounts.<name>]`` into an array of tables."""
    named = given.get("accounts")
    if not isinstance(named, dict):
        return dict(given)
    accounts = [
        {**account, "name": name} if isinstance(account, dict) else account
        for name, account in named.items()
    ]
    return {**given, "accounts": accounts}


def _with_secret(
    table: object, key: str, variable: tuple[str, str], environ: Mapping[str, str]
) -> object:
    """Add the secret that the environment holds, under the variable that the table names."""
    if not isinstance(table, dict):
        return table
    named_by, default = variable
    secret = environ.get(str(table.get(named_by, default)))
    return {**table, key: secret} if secret else table
