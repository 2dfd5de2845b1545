"""What is kept between runs."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.store import FILE, FolderInUseError, Store, micros_of
from ops_platform_tests.embedded.slack_inbox.conftest import client_of


def fill(folder: Path) -> None:
    """Leave a message with an edit and a reply, in a channel that came to be by it."""
    with SlackInbox(folder, create_channels=True) as inbox:
        slack = client_of(inbox)
        metadata = {"event_type": "a", "event_payload": {"key": "1"}}
        post = slack.chat_postMessage(channel="new", text="first", metadata=metadata)
        slack.chat_postMessage(channel="new", text="reply", thread_ts=post["ts"])
        slack.chat_update(channel=post["channel"], ts=post["ts"], text="edited")


def test_messages_edits_and_channels_are_there_after_a_restart(tmp_path: Path) -> None:
    """A second inbox in the folder shows what the first one showed."""
    fill(tmp_path)
    with SlackInbox(tmp_path) as inbox:
        first, reply = inbox.messages("new")
        assert [one.text for one in inbox.versions(first)] == ["first", "edited"]
        assert first.metadata == {"event_type": "a", "event_payload": {"key": "1"}}
        assert inbox.replies(first) == [reply]
        client_of(inbox).chat_postMessage(channel="new", text="next")
        assert [one.text for one in inbox.messages("new")] == ["edited", "reply", "next"]


@pytest.mark.parametrize("lost", [1, 20, 60])
def test_a_torn_last_line_loses_that_line_alone(tmp_path: Path, lost: int) -> None:
    """Killed while writing, the inbox keeps all that it had written before."""
    fill(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-lost])
    with SlackInbox(tmp_path, create_channels=True) as inbox:
        assert inbox.messages("new")[0].text == ("edited" if lost == 1 else "first")
        client_of(inbox).chat_postMessage(channel="new", text="next")
    with SlackInbox(tmp_path) as inbox:
        assert [one.text for one in inbox.messages("new")][1:] == ["reply", "next"]


def test_foreign_bytes_in_the_file_are_skipped(tmp_path: Path) -> None:
    """What is no entry is passed over."""
    fill(tmp_path)
    file = tmp_path / FILE
    file.write_bytes(b"\xff\xfe{\n[]\n\n" + file.read_bytes() + b'{"type":"Other"}\n')
    with SlackInbox(tmp_path) as inbox:
        assert len(inbox.messages("new")) == 2


def test_two_inboxes_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one is refused with a sentence."""
    with (
        SlackInbox(tmp_path),
        pytest.raises(FolderInUseError, match="stop it or choose another folder"),
    ):
        SlackInbox(tmp_path)


@given(st.lists(st.floats(min_value=0, max_value=4e9), min_size=1, max_size=50))
def test_a_ts_never_repeats_nor_goes_back(times: Sequence[float]) -> None:
    """Whatever the clock does, the next ts of a channel is later than the last."""
    store = Store(None)
    stamps = [micros_of(store.next_ts("C", time)) for time in times]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize("ts", ["", "x", "1.x", ".", "\N{FULLWIDTH DIGIT ONE}.5", "-1.000001"])
def test_a_malformed_ts_is_of_the_beginning(ts: str) -> None:
    """What is no ts sorts first rather than failing."""
    assert micros_of(ts) == 0
