"""The messages of an incident for people and programs to read, before or after they are sent."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from ops_platform.adapters.ledger.database import Transaction
from ops_platform.cli.output import cell
from ops_platform.domain.alert_message import Message, render_plain
from ops_platform.domain.incidents import Incident
from ops_platform.operations.policy import alert_policy, composer
from ops_platform.operations.preview_alerts import preview
from ops_platform.settings.model import Settings

Row = dict[str, Any]

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
_LINK = re.compile(r"<(https?://[^|>]*)\|([^>]*)>")


def previews(tx: Transaction, incident: Incident, settings: Settings, now: datetime) -> list[Row]:
    """Return the messages, the first one first."""
    found = preview(
        tx,
        incident,
        policy=alert_policy(settings),
        composer=composer(settings, None),
        now=now,
        fallback_channel=settings.alerts.fallback_channel,
    )
    return [
        {
            "channel": each.channel,
            "part": each.part,
            "text": each.message.text,
            "blocks": list(each.message.blocks),
        }
        for each in found
    ]


def show_previews(found: Sequence[Row]) -> None:
    """Print the messages as text; of foreign text nothing can steer the terminal."""
    for each in found:
        click.echo(f"--- {each['channel'] or 'no channel'}, {each['part']}")
        plain = render_plain(Message(each["text"], each["blocks"]))
        for line in plain.text.splitlines():
            click.echo(cell(_legible(line), widest=None))
        click.echo()


def _legible(line: str) -> str:
    """Return a line with its dates and links as text, for readers who are not in Slack."""
    return _LINK.sub(r"\2 (\1)", _DATE.sub(r"\1", line))
