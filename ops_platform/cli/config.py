"""``ops-platform config``: is the file right, and what is in effect."""

import os

import click

from ops_platform.cli.output import json_option, show_json, show_rows
from ops_platform.clock import now
from ops_platform.settings.load import load
from ops_platform.settings.notes import notes
from ops_platform.settings.problems import SettingsError
from ops_platform.settings.report import by_key, effective

_COLUMNS = ("key", "value", "origin")


@click.group()
def config() -> None:
    """Check and show the settings."""


@config.command()
@json_option
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Check the settings as a whole; exit code 2 if they cannot be used."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        if not as_json:
            raise
        problems = [{"key": p.key, "message": p.text} for p in error.problems]
        show_json({"valid": False, "problems": problems, "notes": []})
        ctx.exit(2)
    hints = list(notes(settings, os.environ, now=now()))
    if as_json:
        show_json({"valid": True, "problems": [], "notes": hints})
        return
    names = ", ".join(account.name for account in settings.accounts)
    click.echo(f"The settings are valid. Accounts: {names}.")
    for hint in hints:
        click.echo(f"Note: {hint}")


@config.command()
@json_option
def show(*, as_json: bool) -> None:
    """Show the settings in effect and where each comes from, secrets hidden."""
    settings = load(os.environ)
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in by_key(settings, os.environ)]
    if as_json:
        origins = {str(row["key"]): row["origin"] for row in rows}
        show_json({**effective(settings), "origins": origins})
        return
    show_rows(rows, columns=_COLUMNS, none="No settings.", as_json=False)
