"""Several processes may take events in at once: none is lost, none waits for ever."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.ingest_events import Recorded, record
from ops_platform_tests.build import ACCOUNTS, NOON, a_job_event, after, bodies, body
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.ledger_world import POLICY, alerts, contents, empty, open_ledger

NOW = after(120)


def _at_once(
    url: str, tasks: Sequence[Sequence[Sequence[bytes]]], now: datetime = NOW
) -> list[Recorded]:
    """Record the batches of each task in a thread and with connections of its own."""
    ready = Barrier(len(tasks))

    def run(batches: Sequence[Sequence[bytes]]) -> Recorded:
        total = Recorded()
        with open_ledger(url) as ledger:
            with ledger.transaction():
                pass  # so that all begin with an open connection
            ready.wait(timeout=30)
            for batch in batches:
                total += record(ledger, batch, accounts=ACCOUNTS, policy=POLICY, now=now)
        return total

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@pytest.mark.parametrize("size", [3, 50])
def test_a_run_split_among_processes_loses_nothing(
    ledger_url: str, ledger: Ledger, size: int
) -> None:
    """Two take turns at the events of one run, and one repeats some of the other's."""
    events = bodies(a_failing_run())
    record(ledger, events, accounts=ACCOUNTS, policy=POLICY, now=NOW)
    expected = contents(ledger)
    empty(ledger)
    even, odd = events[::2], events[1::2] + events[:6:2]

    told = _at_once(ledger_url, [_in_batches(even, size), _in_batches(odd, size)])

    assert contents(ledger) == expected
    assert sum(each.new for each in told) == len(events)
    assert sum(each.duplicates for each in told) == 3
    assert len(alerts(ledger)) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_a_new_day_that_begins_for_two_accounts_at_once_stops_neither(
    ledger_url: str, ledger: Ledger, attempt: int
) -> None:
    """Both need the day's partition, and one of them makes it."""
    days = [NOON + timedelta(days=10 * attempt + day) for day in range(3)]
    now = days[-1] + timedelta(hours=1)
    tasks = [
        [[_on(days[at], account) for at in order]]
        for account, order in (("222222222222", (0, 1, 2)), ("111111111111", (2, 1, 0)))
    ]

    told = _at_once(ledger_url, tasks, now)

    assert [each.new for each in told] == [3, 3]
    assert len(contents(ledger)["events"]) == 6


def test_bad_messages_that_two_accounts_share_do_not_lock_each_other_out(
    ledger_url: str, ledger: Ledger
) -> None:
    """The same bad messages, in opposite orders, beside good ones of different accounts."""
    bad = [b"bad %d" % number for number in range(40)]
    good = [a_job_event(id=f"good {account}", aws_account_id=account) for account in ACCOUNTS]

    told = _at_once(ledger_url, [[[*bad, body(good[0])]], [[*bad[::-1], body(good[1])]]])

    assert [(each.new, each.rejected) for each in told] == [(1, 40), (1, 40)]
    assert len(contents(ledger)["rejected_messages"]) == 40


def _on(day: datetime, account: str) -> bytes:
    return body(
        a_job_event(id=f"{account} {day}", job_id=f"{day}", time=day, aws_account_id=account)
    )


def _in_batches(messages: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    return [messages[at : at + size] for at in range(0, len(messages), size)]
