"""``ops-platform silences``: mute what nobody wants to hear of for a while."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

import click
import msgspec

from ops_platform.adapters.ledger import outbox_lists
from ops_platform.adapters.ledger import silences as known
from ops_platform.cli.by_hand import who_option, why_option
from ops_platform.cli.filters import end
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import json_option, show_json, show_rows, stamp, table
from ops_platform.domain.silences import Silence
from ops_platform.domain.words import counted
from ops_platform.operations.silence_alerts import Silenced, expire, in_words, silence

_COLUMNS = (
    "id", "state", "account", "project", "flow", "owner", "holds_back", "author", "reason",
    "ends_at",
)  # fmt: skip
_MUTED = ("id", "account", "flow", "run_id", "owner", "opened_at")
_EVER = datetime.min.replace(tzinfo=UTC)


class _Patterns(TypedDict):
    account: str | None
    project: str | None
    flow: str | None
    owner: str | None


@click.group()
def silences() -> None:
    """Mute incidents for a while, by name."""


@silences.command()
@click.option("--account", help="Only of this account; * stands for anything, as in all names.")
@click.option("--project", help="Only of this Metaflow project.")
@click.option("--flow", help="Only of this flow.")
@click.option("--owner", help="Only of this owner.")
@click.option("--everything", is_flag=True, help="Mute all there is.")
@click.option("--for", "span", type=end, metavar="SPAN", help="How long: 30m, 2h or 7d.")
@click.option("--until", type=end, metavar="TIME", help="Until when: 2026-01-31T12:00:00Z.")
@why_option()
@who_option
@click.option("--dry-run", is_flag=True, help="Tell what it would mute, and write nothing.")
@json_option
def add(
    *,
    who: str,
    why: str,
    span: datetime | None,
    until: datetime | None,
    everything: bool,
    dry_run: bool,
    as_json: bool,
    **patterns: Unpack[_Patterns],
) -> None:
    """Mute the incidents that match all names given.

    New messages and notes about them wait until it is over, and are told then unless the incident
    is resolved by then. What stands in Slack is still kept up to date.
    """
    ends_at = span or until
    if ends_at is None or (span and until):
        raise click.UsageError("Give either --for or --until.")
    given = {name: str(value) for name, value in patterns.items() if value}
    if everything == bool(given):
        raise click.UsageError(
            "Give either --everything, or one or more of --account, --project, --flow and --owner."
        )
    with open_ledger() as opened:
        made = silence(
            opened.ledger,
            given,
            who=who,
            why=why,
            now=opened.ledger.now(),
            ends_at=ends_at,
            accounts=[account.name for account in opened.settings.accounts],
            everything=everything,
            dry_run=dry_run,
        )
    if as_json:
        mutes = {"muted": made.muted, "mutes": [incident.id for incident in made.mutes]}
        show_json({**msgspec.structs.asdict(made.silence), "dry_run": dry_run, **mutes})
    else:
        _show(made, dry_run=dry_run)


def _show(made: Silenced, *, dry_run: bool) -> None:
    what = f"{in_words(made.silence)} until {stamp(made.silence.ends_at)}"
    name = "It would mute" if dry_run else f"Silence {made.silence.id} mutes"
    number, more = made.muted, made.muted - len(made.mutes)
    click.echo(f"{name} {what}: {counted(number, 'open incident', 'open incidents')} now.")
    rows = [asdict(incident) for incident in made.mutes]
    for line in table(rows, _MUTED) if rows else ():
        click.echo(line)
    if more:
        click.echo(f"... and {more:,} more.")


@silences.command("list")
@click.option("--all", "ended_too", is_flag=True, help="Those that are over, too.")
@json_option
def list_silences(*, ended_too: bool, as_json: bool) -> None:
    """List silences, the first made first."""
    with open_ledger() as opened:
        now = opened.ledger.now()
        with opened.ledger.transaction() as tx:
            found = known.recent(tx, _EVER) if ended_too else known.active(tx, now)
            waiting = outbox_lists.held_back(tx)
    rows = [_row(each, waiting, now) for each in found]
    show_rows(rows, columns=_COLUMNS, none="No silences.", as_json=as_json)


def _row(one: Silence, waiting: Mapping[int, int], now: datetime) -> dict[str, Any]:
    state = "active" if one.ends_at > now else "over"
    return msgspec.structs.asdict(one) | {"state": state, "holds_back": waiting.get(one.id, 0)}


@silences.command("expire")
@click.argument("silence_id", metavar="ID", type=int)
@why_option()
@who_option
@json_option
def expire_silence(silence_id: int, *, who: str, why: str, as_json: bool) -> None:
    """End a silence now; what it held back is told."""
    with open_ledger() as opened:
        ended = expire(opened.ledger, silence_id, who=who, why=why, now=opened.ledger.now())
    if as_json:
        show_json({**msgspec.structs.asdict(ended.silence), "released": ended.released})
        return
    held = counted(ended.released, "message that it held back is", "messages that it held back are")
    click.echo(f"Silence {silence_id} is over; {held} due.")
