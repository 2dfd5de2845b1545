"""``ops-platform`` on a settings file and a real ledger, called in this process."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ops_platform.cli.group import group_of
from ops_platform.cli.main import PROGRAM
from ops_platform_tests.defs.dagster_world import SETTINGS

Row = dict[str, Any]


class Platform:
    """The command line, with the environment it is called in."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)

    def run(self, *arguments: str, stdin: bytes | None = None) -> Result:
        """Call it; what it prints and its exit code are in the result."""
        return CliRunner().invoke(group_of(PROGRAM), arguments, input=stdin, env=self.environ)

    def rows(self, noun: str, *options: str) -> list[Row]:
        """Return the JSON array that ``NOUN list --json`` prints; nothing else may be there."""
        done = self.run(noun, "list", "--json", *options)
        assert (done.exit_code, done.stderr) == (0, "")
        rows = json.loads(done.stdout)
        assert isinstance(rows, list)
        return rows

    def record(self, *arguments: str) -> Row:
        """Return the JSON object that a command prints; nothing else may be there."""
        done = self.run(*arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        record = json.loads(done.stdout)
        assert isinstance(record, dict)
        return record


def platform_in(folder: Path, database_url: str | None) -> Platform:
    """Return the command line with a settings file of two accounts."""
    file = folder / "ops_platform.toml"
    file.write_text(SETTINGS)
    environ = {"OPS_PLATFORM_CONFIG": str(file)}
    if database_url is not None:
        environ["OPS_PLATFORM_DATABASE_URL"] = database_url
    return Platform(environ)
