"""``ops-platform events``: replaying envelopes from a file."""

from pathlib import Path

from ops_platform_tests.build import bodies
from ops_platform_tests.build_runs import a_failing_run
from ops_platform_tests.cli.command_line import Platform

EVENTS = bodies(a_failing_run())


def test_a_file_is_replayed_and_counted(platform: Platform, tmp_path: Path) -> None:
    """Each line is new, a duplicate or rejected; a second time all are duplicates."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join([*EVENTS, EVENTS[0], b"{broken", b'"no object"']))
    counts = {"read": len(EVENTS) + 3, "new": len(EVENTS), "duplicates": 1, "rejected": 2}
    assert platform.record("events", "replay", str(file)) == counts
    again = {**counts, "new": 0, "duplicates": len(EVENTS) + 1}
    assert platform.record("events", "replay", str(file)) == again


def test_standard_input_is_replayed_whatever_ends_its_lines(platform: Platform) -> None:
    """Empty lines are no events, and neither are they rejected."""
    stdin = b"\r\n".join([b"", EVENTS[0], b"", b"   ", EVENTS[1], b"", b""])
    done = platform.run("events", "replay", "-", stdin=stdin)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == '{"read": 2, "new": 2, "duplicates": 0, "rejected": 0}\n'


def test_a_byte_order_mark_costs_no_event(platform: Platform) -> None:
    """Some editors begin a file with one."""
    done = platform.run("events", "replay", "-", stdin=b"\xef\xbb\xbf" + EVENTS[0])
    assert done.stdout == '{"read": 1, "new": 1, "duplicates": 0, "rejected": 0}\n'


def test_lines_that_are_no_events_are_no_failure(platform: Platform) -> None:
    """Bytes that are no text, nothing but NUL, a megabyte: counted, kept, exit code 0."""
    bad = [b"\xff\xfe", b"\0", b"[]", b"null", b"x" * 1_048_576, b'{"detail-type": "Other"}']
    done = platform.run("events", "replay", "-", stdin=b"\n".join(bad))
    assert done.exit_code == 0
    assert done.stdout == '{"read": 6, "new": 0, "duplicates": 0, "rejected": 6}\n'


def test_nothing_is_replayed_from_nothing(platform: Platform) -> None:
    """An empty input is fine."""
    done = platform.run("events", "replay", "-", stdin=b"")
    assert done.stdout == '{"read": 0, "new": 0, "duplicates": 0, "rejected": 0}\n'


def test_what_is_replayed_opens_incidents_but_alerts_nobody(platform: Platform) -> None:
    """The alert is there to be seen, and says why it was withheld."""
    platform.run("events", "replay", "-", stdin=b"\n".join(EVENTS))
    (incident,) = platform.rows("incidents")
    assert incident["alerts_sent"] == 0
    (alert,) = platform.record("incidents", "show", incident["id"], "--json")["alerts"]
    assert (alert["state"], alert["reason"]) == ("withheld", "replayed")


def test_a_file_that_is_not_there_is_named(platform: Platform) -> None:
    """The exit code is that of a wrong call."""
    done = platform.run("events", "replay", "nowhere.jsonl")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "nowhere.jsonl" in done.stderr
