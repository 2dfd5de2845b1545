"""Envelopes are found in whatever form somebody kept them."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_platform.adapters import event_dumps
from ops_platform.adapters.event_dumps import envelopes
from ops_platform.domain.errors import PlatformError
from ops_platform_tests.build import bodies
from ops_platform_tests.build_runs import a_failing_run

EVENTS = bodies(a_failing_run())
PLAIN = [json.loads(event) for event in EVENTS]
FORMS = {
    "lines": b"\n".join(EVENTS),
    "Windows' lines": b"\xef\xbb\xbf" + b"\r\n\r\n".join(EVENTS),
    "one behind the other": b"".join(EVENTS),
    "an array": b"[" + b",".join(EVENTS) + b"]",
    "an array on every line": b"\n".join(b"[" + event + b"]" for event in EVENTS),
    "indented": json.dumps(PLAIN, indent=2).encode(),
    "CloudWatch's export": b"\n".join(b"2026-03-02T12:00:00.000Z " + event for event in EVENTS),
    "CloudWatch's documents": b"".join(
        json.dumps(
            {
                "messageType": "DATA_MESSAGE",
                "logEvents": [
                    {"id": "1", "timestamp": 1, "message": event.decode()}
                    for event in EVENTS[at : at + 3]
                ],
            }
        ).encode()
        for at in range(0, len(EVENTS), 3)
    ),
}


def _read(folder: Path, text: bytes) -> list[bytes]:
    file = folder / "dump"
    file.write_bytes(text)
    return list(envelopes(file))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_the_same_envelopes(tmp_path: Path, form: str, *, packed: bool) -> None:
    """In their order, and nothing else."""
    text = gzip.compress(FORMS[form]) if packed else FORMS[form]

    found = _read(tmp_path, text)

    assert [json.loads(each) for each in found] == PLAIN


@pytest.mark.parametrize("form", FORMS)
def test_it_does_not_matter_where_a_read_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Be it within a text, or between a backslash and what it is about."""
    for size in (7, 61, 1000):
        monkeypatch.setattr(event_dumps, "_CHUNK", size)
        assert [json.loads(each) for each in _read(tmp_path, FORMS[form])] == PLAIN


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.dictionaries(st.text(), st.text() | st.dictionaries(st.text(), st.text())), max_size=5
    ),
    size=st.integers(1, 30),
    ascii_only=st.booleans(),
)
def test_any_objects_are_told_apart(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: list[dict[str, object]],
    size: int,
    *,
    ascii_only: bool,
) -> None:
    """Whatever quotes, braces and backslashes are in their texts."""
    monkeypatch.setattr(event_dumps, "_CHUNK", size)
    text = "".join(json.dumps(value, ensure_ascii=ascii_only) for value in values)

    assert [json.loads(each) for each in _read(tmp_path, text.encode())] == values


@pytest.mark.parametrize(
    "broken", [b'{"id": 1', b'{"id": "1', b"no object", b'{"a": {"b": 1}', b"}"]
)
def test_a_broken_line_costs_only_itself(tmp_path: Path, broken: bytes) -> None:
    """It comes as it is, to be rejected."""
    found = _read(tmp_path, b"\n".join([EVENTS[0], broken, *EVENTS[1:]]))

    assert found == [EVENTS[0], broken, *EVENTS[1:]]


def test_what_is_cut_off_in_the_end_is_not_lost(tmp_path: Path) -> None:
    """It is to be rejected, not overlooked."""
    assert _read(tmp_path, EVENTS[0] + EVENTS[1][:-5]) == [EVENTS[0], EVENTS[1][:-5]]


def test_what_is_no_dump_at_all_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that does not end is given up."""
    monkeypatch.setattr(event_dumps, "_LARGEST", 100_000)
    monkeypatch.setattr(event_dumps, "_CHUNK", 1000)

    with pytest.raises(PlatformError, match="this is no dump of events"):
        _read(tmp_path, b'{"a": [' + b"1," * 100_000)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a folder."""
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(PlatformError, match=f"{path} cannot be read"):
            list(envelopes(path))
