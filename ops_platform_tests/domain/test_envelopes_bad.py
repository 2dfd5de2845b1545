"""What may come instead of a proper event: all of it is taken, or comes back whole."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.aws_values import TEXT_LIMIT
from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import Event, JobEvent, Rejected
from ops_platform_tests import nasty
from ops_platform_tests.build import a_job_event, body


def _job(*, time: str = "2026-03-02T12:00:00Z", **detail: Any) -> bytes:
    envelope = json.loads(body(a_job_event()))
    return json.dumps(envelope | {"time": time, "detail": envelope["detail"] | detail}).encode()


GOOD = body(a_job_event(status_reason="REASON"))
BAD = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "an empty object": b"{}",
    "no JSON": b"hello",
    "half of it": GOOD[: len(GOOD) // 2],
    "two of them": GOOD + GOOD,
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a raw NUL": GOOD.replace(b"REASON", b"a\x00b"),
    "a raw line break": GOOD.replace(b"REASON", b"a\nb"),
    "invalid UTF-8": GOOD.replace(b"REASON", b"\xff"),
    "an encoded surrogate": GOOD.replace(b"REASON", b"\xed\xa0\x80"),
    "an unknown kind": GOOD.replace(b"Batch Job State Change", b"Batch Service Job State Change"),
    "no id": GOOD.replace(b'"id"', b'"uid"'),
    "an empty id": GOOD.replace(b'"job-event"', b'""'),
    "an endless id": GOOD.replace(b"job-event", b"x" * 600),
    "a naive time": _job(time="2026-03-02T12:00:00"),
    "a time that is none": _job(time="yesterday"),
    "a day that is none": _job(time="2026-02-30T12:00:00Z"),
    "a time before all times": _job(time="0001-01-01T00:00:00+14:00"),
    "a time after all times": _job(time="9999-12-31T23:59:59-14:00"),
    "letters for an account": GOOD.replace(b'"222222222222"', b'"production"'),
    "an account and a line break": GOOD.replace(b'"222222222222"', rb'"222222222222\n"'),
    "an account in other digits": GOOD.replace(b'"222222222222"', '"\uff1222222222222"'.encode()),
    "no detail": GOOD.replace(b'"detail":', b'"details":'),
    "a job without an id": _job(jobId=None),
    "a status that is a number": _job(status=5),
    "parameters in a list": _job(parameters=[]),
    "a time in words": _job(createdAt="now"),
    "a time in 1969": _job(createdAt=-1),
    "a huge time": _job(createdAt=10**30),
    "a fraction of a time": _job(createdAt=0.5),
    "a huge exit code": _job(container={"exitCode": 2**31}),
    "brackets a megabyte deep": b"[" * 1_048_576,
    "brackets within": GOOD.replace(b'"REASON"', b"[" * 100_000 + b"]" * 100_000),
    "skipped brackets": GOOD.replace(b'"tags"', b'"tag"').replace(
        b'"jobName"', b'"more":' + b"[" * 100_000 + b"]" * 100_000 + b',"jobName"'
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_event_comes_back_whole_with_the_reason(name: str) -> None:
    """To the last byte."""
    rejected = parse(BAD[name])

    assert isinstance(rejected, Rejected)
    assert rejected.body == BAD[name]
    assert rejected.error


TOLERATED = {
    "1970": (_job(time="1970-01-01T00:00:00Z"), "time", datetime(1970, 1, 1, tzinfo=UTC)),
    "9999": (
        _job(time="9999-12-31T23:59:59Z"),
        "time",
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ),
    "another time zone": (
        _job(time="2026-03-02T13:30:00+01:30"),
        "time",
        datetime(2026, 3, 2, 12, tzinfo=UTC),
    ),
    "created in 1970": (_job(createdAt=0), "created_at", datetime(1970, 1, 1, tzinfo=UTC)),
    "no attempts": (_job(attempts=None), "attempts", ()),
    "no container": (_job(container=None), "exit_code", None),
    "no parameters": (_job(parameters=None), "flow", None),
    "another status": (_job(status="SCHEDULED"), "status", "SCHEDULED"),
    "an escaped NUL": (_job(statusReason="a\x00b"), "status_reason", "a\ufffdb"),
    "two escaped NULs": (_job(statusReason="\x00\x00"), "status_reason", "\ufffd\ufffd"),
    "what only looks like a NUL": (_job(statusReason="\\u0000"), "status_reason", "\\u0000"),
    "a backslash and a NUL": (_job(statusReason="\\\x00"), "status_reason", "\\\ufffd"),
    "markup": (_job(jobName="<!channel> *a* `b`"), "job_name", "<!channel> *a* `b`"),
    "no letters at all": (_job(jobName="🧨"), "job_name", "🧨"),
    "a megabyte of reason": (
        _job(statusReason="x" * 1_000_000),
        "status_reason",
        "x" * (TEXT_LIMIT - 1) + "…",
    ),
    "an integer too large": (
        _job(container={"resourceRequirements": [{"type": "MEMORY", "value": "9" * 12}]}),
        "memory_mib",
        None,
    ),
    "not a number": (
        _job(container={"resourceRequirements": [{"type": "VCPU", "value": "nan"}]}),
        "vcpus",
        None,
    ),
    "infinite": (
        _job(container={"resourceRequirements": [{"type": "VCPU", "value": "inf"}], "vcpus": 2}),
        "vcpus",
        2,
    ),
    "words for a number": (
        _job(container={"resourceRequirements": [{"type": "GPU", "value": "some"}]}),
        "gpus",
        None,
    ),
}


@pytest.mark.parametrize("name", TOLERATED)
def test_what_is_odd_but_an_event_is_taken(name: str) -> None:
    """Losing it would be worse."""
    message, field, expected = TOLERATED[name]

    event = parse(message)

    assert isinstance(event, JobEvent)
    assert getattr(event, field) == expected


def test_every_time_is_in_utc() -> None:
    """Equal moments are equal rows."""
    event = parse(_job(time="2026-03-02T13:30:00+01:30"))

    assert isinstance(event, JobEvent)
    assert event.time.utcoffset() == timedelta()


@given(st.binary() | st.text().map(str.encode) | nasty.values.map(lambda v: json.dumps(v).encode()))
def test_whatever_the_bytes_are_parsing_does_not_fail(message: bytes) -> None:
    """They are an event or come back whole."""
    found = parse(message)

    assert isinstance(found, Event) or found.body == message


@given(message=nasty.envelopes, at=st.integers(0, 5000), piece=st.binary(max_size=4))
def test_a_damaged_envelope_is_an_event_or_comes_back_whole(
    message: bytes, at: int, piece: bytes
) -> None:
    """Wherever it was cut and whatever was put there."""
    damaged = message[:at] + piece + message[at + len(piece) :]

    found = parse(damaged)

    assert isinstance(found, Event) or found.body == damaged


@pytest.mark.parametrize(
    ("escaped", "shown"),
    [
        (rb"cut \ud83d", "cut \ufffd"),
        (rb"\udca3 cut", "\ufffd cut"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\uD83D\uDE00 whole", "\U0001f600 whole"),
        (rb"\\ud83d is no escape", r"\ud83d is no escape"),
        (rb"\u0000\\u0000", "\ufffd" + r"\u0000"),
    ],
)
def test_what_no_text_can_hold_costs_no_event(escaped: bytes, shown: str) -> None:
    """AWS cuts long texts, and may do so within an emoji; that must not hide a failure."""
    found = parse(GOOD.replace(b"REASON", escaped))
    assert isinstance(found, JobEvent)
    assert found.status_reason == shown


@given(nasty.envelopes)
def test_no_event_holds_what_the_ledger_cannot_store(message: bytes) -> None:
    """No NUL, no surrogate, no number beyond the columns, no time beyond the calendar of UTC."""
    found = parse(message)
    if isinstance(found, Event):
        text = msgspec.json.encode(found).decode()
        assert not re.search(r"(?<!\\)(?:\\\\)*\\u0000", text)
        numbers = re.findall(r"(?<=:)-?\d+(?=[,}])", text)
        assert all(abs(int(number)) <= 2**31 for number in numbers)
