"""``ops-platform events export|drop|import``: whole days of history, out of the ledger and back."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from ops_platform.cli.filters import moment
from ops_platform.cli.ledger import open_ledger
from ops_platform.cli.output import Row, json_option, show_record, show_rows
from ops_platform.cli.progress import Progress
from ops_platform.domain.words import counted
from ops_platform.operations.export_events import Exported, days_between, export_events
from ops_platform.operations.import_events import HELD_FOR, Imported, Importer
from ops_platform.operations.keep_history import keep_history, kept_since
from ops_platform.operations.policy import account_names, alert_policy

_EXPORTED = ("day", "events", "jobs", "executions", "bytes", "file")
_IMPORTED = ("file", "day", "read", "new", "duplicates", "rejected")
_Path = click.Path(path_type=Path)


def _day(text: str) -> datetime:
    return moment(text).astimezone(UTC)


@click.command()
@click.option("--from", "first", type=_day, required=True, metavar="DAY", help="The first day.")
@click.option(
    "--to", "last", type=_day, required=True, metavar="DAY", help="The last day, included."
)
@click.option(
    "--directory",
    type=_Path,
    default=Path(),
    metavar="DIR",
    help="Where to write; by default the present folder.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@json_option
def export(first: datetime, last: datetime, directory: Path, *, force: bool, as_json: bool) -> None:
    """Write a compressed file for each day, from which `events import` brings it back.

    Days are those of UTC. A file holds the day's events, and the state of the jobs, executions and
    instances that touched the day; it appears under its name only when it is whole.
    """
    days = days_between(first.date(), last.date())
    if not days:
        raise click.UsageError("--to is before --from.")
    with open_ledger() as opened, Progress("rows written") as progress:
        ledger = opened.ledger
        done = export_events(
            ledger, days, directory, now=ledger.now(), force=force, show=progress.show
        )
        rows = [_exported(each) for each in done]
    show_rows(rows, columns=_EXPORTED, none="", as_json=as_json)


@click.command()
@click.option(
    "--before", type=_day, metavar="DAY", help="Drop what is before; else what the settings say."
)
@click.option("--enforce", is_flag=True, help="Drop it; else only show what would be dropped.")
@json_option
def drop(before: datetime | None, *, enforce: bool, as_json: bool) -> None:
    """Drop days of events, and the state of what ended in them; rollups stay.

    Dagster does the same each night, by `metrics.keep_events_days` of the settings. Without
    --enforce nothing is dropped. The exit code is 0 although a day is left because others used it;
    the next run drops it.
    """
    with open_ledger() as opened, Progress("rows dropped") as progress:
        now = opened.ledger.now()
        keep = opened.settings.metrics.keep_events_days
        kept_from = before.date() if before is not None else kept_since(now, days=keep)
        done = keep_history(
            opened.ledger, kept_from=kept_from, now=now, dry_run=not enforce, show=progress.show
        )
    record = {
        "enforce": enforce,
        "kept_from": done.kept_from,
        "dropped": list(map(str, done.dropped)),
        "held": list(map(str, done.held)),
        "busy": list(map(str, done.busy)),
        "rows": dict(done.rows),
        "bytes_freed": done.bytes_freed,
        "days": done.days,
        "oldest": done.oldest,
        "bytes_kept": done.bytes_kept,
    }
    show_record(record, as_json=as_json)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=_Path)
@click.option(
    "--whole",
    type=_day,
    multiple=True,
    metavar="DAY",
    help="The envelopes in the files are all there were of this day; may be given again.",
)
@json_option
def import_(files: tuple[Path, ...], whole: tuple[datetime, ...], *, as_json: bool) -> None:
    """Bring back days that `events export` wrote, or record envelopes of EventBridge.

    The former are restored as they were. The latter may stand one to a line, one behind the other
    or in arrays, compressed or not; they are parsed and redacted as ingest does it. Nothing is
    alerted, and what is there already is counted as a duplicate. A day that comes back is kept
    for a week, however old it is.
    """
    with open_ledger() as opened, Progress("rows read") as progress:
        importer = Importer(
            opened.ledger,
            account_names(opened.settings),
            alert_policy(opened.settings, replayed=True),
            opened.ledger.now(),
            progress.show,
        )
        done = list(importer.import_files(files, whole=[each.date() for each in whole]))
    show_rows(list(map(_imported, done)), columns=_IMPORTED, none="", as_json=as_json)
    if not as_json:
        _say_what_is_held({each.day for each in done if each.day} | {at.date() for at in whole})


def _say_what_is_held(days: set[date]) -> None:
    if days:
        told = counted(len(days), "day is", "days are")
        click.echo(f"{told} whole again, and held for {HELD_FOR.days} days.")


def _exported(done: Exported) -> Row:
    rows = {table: done.rows.get(table, 0) for table in ("events", "jobs", "executions")}
    return {"day": str(done.day), **rows, "bytes": done.bytes, "file": str(done.file)}


def _imported(done: Imported) -> Row:
    return {
        "file": str(done.file),
        "day": str(done.day) if done.day else None,
        "read": done.read,
        "new": done.new.total(),
        "duplicates": done.duplicates,
        "rejected": done.rejected,
    }
