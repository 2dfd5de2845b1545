"""Whatever comes back in Slack's place is an outcome, and no outcome shows the token."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slack_sdk import WebClient

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.domain.delivery import Ambiguous, LookupUnavailable, RateLimited
from ops_platform_tests.adapters.slack_world import CHANNEL, notifier_at, now, post

JSON = "application/json"


@contextmanager
def answering(
    body: bytes, *, status: int = 200, content_type: str = JSON, retry_after: str = ""
) -> Iterator[str]:
    """Answer every call alike; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" * 100_000, JSON),
        (b"{}", f"{JSON}; charset=nonsense"),
        (b"\x1f\x8b", "application/gzip"),
        (b"[1]", JSON),
    ],
    ids=["deeply nested", "unknown charset", "compressed", "a list"],
)
def test_an_answer_that_cannot_be_read_is_in_doubt(body: bytes, content_type: str) -> None:
    """An exception would end the tick, and be met again at the next one."""
    with answering(body, content_type=content_type) as url:
        notifier = notifier_at(url)
        found = notifier.find(channel=CHANNEL, metadata_key="k", since=now())

        assert isinstance(post(notifier), Ambiguous)
        assert isinstance(found, LookupUnavailable)
        assert isinstance(notifier.permalink(channel=CHANNEL, ts="1.0"), LookupUnavailable)


@pytest.mark.parametrize("retry_after", ["9" * 15, "9" * 5000, "31536000"])
def test_no_channel_is_silenced_for_good(retry_after: str) -> None:
    """An hour is the longest that anybody waits for Slack's sake."""
    limited = b'{"ok": false, "error": "ratelimited"}'
    with answering(limited, status=429, retry_after=retry_after) as url:
        assert post(notifier_at(url)) == RateLimited(3600)


@pytest.mark.parametrize("token", ["xoxb-hidden\nx", '{\n "token": "xoxb-hidden"\n}'])
def test_a_token_that_is_no_header_is_not_shown(token: str) -> None:
    """Outcomes are stored, and shown to everybody who may look at Dagster."""
    client = WebClient(token, base_url="http://127.0.0.1:1/api/", retry_handlers=[])

    assert "hidden" not in repr(post(SlackNotifier(client)))
