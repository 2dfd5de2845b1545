"""Bad messages: kept whole, counted, and never in the way of the good ones."""

import hashlib
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters.ledger import schema
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.ingest_events import Recorded, record
from ops_platform_tests import nasty
from ops_platform_tests.build import (
    ACCOUNTS,
    FOREIGN,
    a_failure,
    a_job_event,
    after,
    an_instance_event,
    bodies,
    body,
)
from ops_platform_tests.ledger_world import POLICY, alerts, contents, empty

NOW = after(120)
BAD = [
    b"",
    b"\x00",
    b"null",
    b"{}",
    b"not JSON",
    b"\xff\xfe",
    b"[" * 200_000,
    b'{"id": "' + b"x" * 1_048_000,
    body(a_job_event())[:-1],
    body(a_job_event()).replace(b"Batch Job State", b"Bitch Job State"),
]


def _record(ledger: Ledger, *messages: bytes) -> Recorded:
    return record(ledger, messages, accounts=ACCOUNTS, policy=POLICY, now=NOW)


def _rejected(ledger: Ledger) -> list[dict[str, Any]]:
    table = schema.rejected_messages
    with ledger.transaction() as tx:
        return [dict(row) for row in tx.execute(sa.select(table)).mappings()]


def test_bad_messages_do_not_hold_up_the_good_ones_beside_them(ledger: Ledger) -> None:
    """One batch of both: the good are stored, the bad are kept."""
    good = bodies([a_job_event(), a_failure(), an_instance_event()])

    told = _record(ledger, *BAD[:5], *good, *BAD[5:])

    assert (told.new, told.rejected) == (3, len(BAD))
    assert [len(contents(ledger)[name]) for name in ("events", "jobs", "incidents")] == [3, 1, 1]


def test_a_bad_message_is_kept_to_the_last_byte_with_its_reason(ledger: Ledger) -> None:
    """A megabyte, no bytes at all, and bytes that are no text."""
    _record(ledger, *BAD)

    kept = {row["digest"]: row for row in _rejected(ledger)}

    assert {row["body"] for row in kept.values()} == set(BAD)
    assert all(kept[hashlib.sha256(message).digest()]["error"] for message in BAD)


def test_a_bad_message_is_stored_once_and_counted_each_time(ledger: Ledger) -> None:
    """Within a batch, in a later batch, and with the times of the first and the last."""
    _record(ledger, b"bad", b"worse", b"bad")
    later = after(240)
    record(ledger, [b"bad"], accounts=ACCOUNTS, policy=POLICY, now=later)

    by_body = {row["body"]: row for row in _rejected(ledger)}

    assert by_body[b"bad"]["times"] == 3
    assert by_body[b"worse"]["times"] == 1
    assert (by_body[b"bad"]["first_seen_at"], by_body[b"bad"]["last_seen_at"]) == (NOW, later)


def test_nothing_but_bad_messages_is_a_batch_too(ledger: Ledger) -> None:
    """And so is nothing at all."""
    assert _record(ledger, *BAD) == Recorded(read=len(BAD), rejected=len(BAD))
    assert _record(ledger) == Recorded()


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(bad=st.lists(nasty.envelopes, min_size=1, max_size=12))
def test_whatever_an_envelope_holds_it_cannot_block_a_batch(
    ledger: Ledger, bad: list[bytes]
) -> None:
    """Each is stored or rejected, a good one beside them is stored, and a second time adds none."""
    empty(ledger)
    good = bodies([a_job_event(id="good"), a_failure(id="good as well")])

    first = _record(ledger, *bad, *good)
    again = _record(ledger, *good, *bad)

    assert first.new + first.duplicates + first.rejected == len(bad) + 2
    assert (again.new, again.rejected) == (0, first.rejected)
    assert {"good", "good as well"} <= {row["event_id"] for row in contents(ledger)["events"]}


@pytest.mark.parametrize("kind", nasty.KINDS)
def test_the_longest_names_fit_every_index(ledger: Ledger, kind: str) -> None:
    """Keys are bounded so that Postgres can index them, even in letters of four bytes."""
    name = nasty.LONG
    names = {"job_id": name, "status": name, "run_id": f"sfn-{name}", "flow": name, "step": name}
    told = {
        "Batch Job State Change": a_job_event(id=name, **names),
        "Batch Job Queue Blocked": a_job_event(id=name, blocked=True, **names),
        "Step Functions Execution Status Change": a_failure(
            id=name, name=name, execution_arn=name, machine_arn=name
        ),
        "ECS Container Instance State Change": an_instance_event(id=name, instance_arn=name),
    }

    assert _record(ledger, body(told[kind])).new == 1


@pytest.mark.parametrize("where", ["cause", "error", "name"])
def test_a_null_character_becomes_a_replacement_character(ledger: Ledger, where: str) -> None:
    """Postgres cannot store it, in text or in JSON, and a document may hide it in a document."""
    hidden = {"cause": '{"StatusReason": "a\\u0000b"}', "error": "a\x00b", "name": "a\x00b"}

    failure = msgspec.structs.replace(a_failure(), **{where: hidden[where]})
    told = _record(ledger, body(failure))

    [execution] = contents(ledger)["executions"]
    assert told.new == 1
    assert execution[where] == execution["failure"][where] == "a\ufffdb"


def test_an_account_nobody_named_is_kept_under_its_id(ledger: Ledger) -> None:
    """Its events are not lost, and its incidents are its own."""
    foreign = a_failure(aws_account_id="999999999999")

    _record(ledger, body(foreign))

    assert contents(ledger)["executions"][0]["account"] == "999999999999"
    assert contents(ledger)["incidents"][0]["account"] == "999999999999"


def test_somebody_elses_state_machine_opens_no_incident(ledger: Ledger) -> None:
    """Its executions are recorded, for what that is worth."""
    _record(ledger, body(a_failure(**FOREIGN)))

    assert len(contents(ledger)["executions"]) == 1
    assert contents(ledger)["incidents"] == []
    assert alerts(ledger) == []
