"""An HTTP server that answers as AWS would on a bad day, which no emulator has."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ops_platform.settings.accounts import Account


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    headers: dict[str, str]
    text: str
    path: str = "/"

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a JSON request."""
        return dict(json.loads(self.text))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; an error carries AWS's code where its clients look for it."""

    body: str
    status: int = 200

    @staticmethod
    def of(fields: dict[str, Any]) -> "Answer":
        """Answer with success."""
        return Answer(json.dumps(fields))

    @staticmethod
    def error(code: str, *, status: int = 400) -> "Answer":
        """Answer with an error."""
        return Answer(json.dumps({"__type": code, "message": f"{code} it is"}), status=status)


@dataclass(slots=True)
class CannedAws:
    """The server's address, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def account(self) -> Account:
        """Return the settings of an account that lives here."""
        return Account(
            name="canned",
            aws_account_id="123456789012",
            region="eu-west-1",
            endpoint_url=self.url,
            event_queue_url=f"{self.url}/123456789012/events",
        )


@contextmanager
def canned_aws(answer: Callable[[Request], Answer]) -> Iterator[CannedAws]:
    """Serve answers on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            aws.requests.append(Request(dict(self.headers.items()), text, self.path))
            given = answer(aws.requests[-1])
            self.send_response(given.status)
            self.send_header("Content-Length", str(len(given.body.encode())))
            self.end_headers()
            self.wfile.write(given.body.encode())

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws = CannedAws(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
