"""``ops-platform stale-jobs``: which jobs can never start, why, and what becomes of them."""

import sys
from collections import Counter
from collections.abc import Sequence

import click

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.cli.by_hand import who_option, why_option
from ops_platform.cli.ledger import Opened, open_ledger
from ops_platform.cli.output import Row, cell, json_option, show_json, show_rows
from ops_platform.cli.progress import Progress
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.words import counted
from ops_platform.operations.clean_account import Order, clean_account, tools_of
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.show_cleaned import blocked_rows, judged_rows, summary
from ops_platform.settings.accounts import Account

_COLUMNS = (
    "account", "queue", "job_id", "flow", "step", "age", "verdict", "reason", "outcome",
    "diagnosis",
)  # fmt: skip

_INSIST = "--enforce --despite-fault --reason 'why' cancels all the same."


@click.command("stale-jobs")
@click.option("--account", help="Only this account.")
@click.option("--queue", help="Only this queue.")
@click.option("--enforce", is_flag=True, help="Cancel what is stale; else it is a dry run.")
@click.option(
    "--despite-fault",
    is_flag=True,
    help="With --enforce: cancel also in a queue that is itself at fault; needs --reason.",
)
@who_option
@why_option(required=False)
@json_option
def stale_jobs(
    *,
    account: str | None,
    queue: str | None,
    enforce: bool,
    despite_fault: bool,
    who: str,
    why: str | None,
    as_json: bool,
) -> None:
    """Find jobs that can never start, and cancel them if told to.

    Every RUNNABLE job of Batch is judged by what keeps it from starting and for how long, as the
    settings say. Without --enforce nothing is cancelled, written or told to anybody. Dagster does
    the same by a schedule, in the mode of each account. The exit code is 1 if an account could not
    be looked at whole.
    """
    order = _order(who, why, enforce=enforce, despite_fault=despite_fault, queue=queue)
    with open_ledger(calls_aws=True) as opened:
        known = opened.settings.accounts
        wanted = known if account is None else [opened.settings.account(account)]
        found = _clean_all(opened, wanted, order)
        now = opened.ledger.now()
    rows = [row for each in found for row in judged_rows(each, now)]
    if as_json:
        show_json([_record(each, rows) for each in found])
    else:
        _show(found, rows)
    if any(each.unfinished for each in found):
        sys.exit(1)


def _order(
    who: str, why: str | None, *, enforce: bool, despite_fault: bool, queue: str | None
) -> Order:
    if despite_fault and not enforce:
        raise click.UsageError("--despite-fault goes with --enforce.")
    if despite_fault and not why:
        raise click.UsageError("--despite-fault needs --reason: why cancel what is not at fault?")
    asked_by = f"{who or 'somebody'} by hand" + (f": {why}" if why else "")
    return Order(
        asked_by=asked_by,
        enforce=enforce,
        dry_run=not enforce,
        despite_fault=despite_fault,
        queue=queue,
    )


def _clean_all(opened: Opened, wanted: Sequence[Account], order: Order) -> list[Cleaned]:
    """Clean the accounts; one that has no such queue is left out, unless none has."""
    found: list[Cleaned] = []
    missing: list[PlatformError] = []
    for account in wanted:
        try:
            found.append(_clean(opened, account, order))
        except PlatformError as error:
            missing.append(error)
    if missing and not found:
        raise missing[0]
    return found


def _clean(opened: Opened, account: Account, order: Order) -> Cleaned:
    """Clean one account; what stands in the way is no reason to leave out the others."""
    try:
        tools = tools_of(account.name, AccountClients(account), opened.ledger)
        with Progress(f"jobs of {account.name} looked at") as progress:
            return clean_account(
                account.name, opened.settings, order, tools=tools, show=progress.show
            )
    except AwsError as error:
        return Cleaned(
            account.name, enforce=order.enforce or False, unfinished=True, trouble=(str(error),)
        )


def _show(found: Sequence[Cleaned], rows: Sequence[Row]) -> None:
    show_rows(rows, columns=_COLUMNS, none="No job is stale.", as_json=False)
    for each in found:
        click.echo(cell(summary(each), widest=None))
        for queue in each.blocked:
            blocked = f"The queue {queue.queue} is blocked: {queue.sentence} {queue.advice}"
            click.echo(cell(blocked, widest=None))
            if queue.held_back:
                jobs = counted(queue.held_back, "stale job is", "stale jobs are")
                click.echo(f"{jobs} held back, since the queue is at fault: {_INSIST}")
        for sentence in each.trouble:
            click.echo(cell(f"Error: {each.account}: {sentence}", widest=None), err=True)


def _record(done: Cleaned, rows: Sequence[Row]) -> Row:
    return {
        "account": done.account,
        "enforce": done.enforce,
        "waiting": done.waiting,
        "oldest_seconds": done.oldest.total_seconds() if done.oldest is not None else None,
        "counts": [
            {"verdict": decision, "reason": why, "jobs": number}
            for (decision, why), number in sorted(done.counts.items())
            if number
        ],
        "queues": done.queues,
        "blocked": blocked_rows(done),
        "jobs": [row for row in rows if row["account"] == done.account],
        "calls": Counter(done.calls),
        "unfinished": done.unfinished,
        "delays": done.delays,
        "trouble": done.trouble,
    }
