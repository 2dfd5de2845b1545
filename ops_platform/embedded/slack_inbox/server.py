"""HTTP on the loopback address: Slack's methods, the page, and the inbox's own endpoints."""

import re
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

from ops_platform.embedded.slack_inbox import page
from ops_platform.embedded.slack_inbox.api import (
    Reply,
    Request,
    json_reply,
    read_arguments,
    token_of,
)
from ops_platform.embedded.slack_inbox.calls import Calls
from ops_platform.embedded.slack_inbox.errors import SlackError
from ops_platform.embedded.slack_inbox.faults import Fault, Faults
from ops_platform.embedded.slack_inbox.misbehave import Dispatcher
from ops_platform.embedded.slack_inbox.store import Store

_PERMALINK: Final = re.compile(r"/archives/([A-Z0-9]+)/p([0-9]+)([0-9]{6})\Z")
_API: Final = "/api/"
_MOST_BYTES: Final = 4 * 1024 * 1024
_PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server serves."""

    store: Store
    faults: Faults
    calls: Calls
    dispatcher: Dispatcher
    page: page.Page


class Server(ThreadingHTTPServer):
    """One thread for each connection, none of which outlives the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.parts: Parts | None = None

    @property
    def url(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Say nothing of a caller who hung up, but everything of a fault of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits 40 ms for its headers to be acknowledged
    timeout = _PATIENCE_SECONDS

    def do_GET(self) -> None:
        """Serve a page, an endpoint, or a Slack method."""
        path = urlsplit(self.path).path
        if path.startswith(_API):
            self._method(path.removeprefix(_API))
        else:
            self._send(self._read_only(path))

    def do_POST(self) -> None:
        """Serve a Slack method, or plan a fault."""
        path = urlsplit(self.path).path
        if path.startswith(_API):
            self._method(path.removeprefix(_API))
        else:
            self._send(self._control(path, self._body()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Keep silent: the log of calls says more."""

    @property
    def _parts(self) -> Parts:
        parts = cast("Server", self.server).parts
        if parts is None:
            raise RuntimeError("The server was started before it had anything to serve.")
        return parts

    def _method(self, method: str) -> None:
        try:
            arguments = read_arguments(
                self.headers.get("Content-Type", ""), urlsplit(self.path).query, self._body()
            )
        except SlackError as refusal:
            self._send(json_reply(refusal.body()))
            return
        token = token_of(self.headers.get("Authorization"), arguments)
        self._send(self._parts.dispatcher.handle(Request(method, token, arguments)))

    def _read_only(self, path: str) -> Reply:
        query = parse_qs(urlsplit(self.path).query)
        channel = next(iter(query.get("channel", ())), None)
        if found := _PERMALINK.match(path):
            return _moved("/?channel={0}#{0}-{1}.{2}".format(*found.groups()))
        name = path.removeprefix("/")
        if name in page.ASSETS:
            return _text(page.asset(name), page.ASSETS[name])
        if path == "/main" and self.headers.get("If-None-Match") == _etag(self._parts):
            return Reply(HTTPStatus.NOT_MODIFIED, b"", "ok")
        serve = _READ_ONLY.get(path)
        return serve(self._parts, channel) if serve else _refusal(HTTPStatus.NOT_FOUND)

    def _control(self, path: str, body: bytes) -> Reply:
        # A page of another site can post a form to us, but not this type without our consent.
        if self.headers.get_content_type() != "application/json":
            return _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if path == "/faults/clear":
            self._parts.faults.clear()
            return json_reply({"ok": True})
        if path != "/faults":
            return _refusal(HTTPStatus.NOT_FOUND)
        try:
            self._parts.faults.plan(msgspec.json.decode(body, type=Fault))
        except msgspec.MsgspecError as error:
            return json_reply({"ok": False, "error": str(error)}, HTTPStatus.BAD_REQUEST)
        return json_reply({"ok": True})

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        if size > _MOST_BYTES:
            self.close_connection = True
        return self.rfile.read(min(size, _MOST_BYTES))

    def _send(self, reply: Reply | None) -> None:
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        for name, value in (headers | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)


def _text(text: str, kind: str, more: Mapping[str, str] = MappingProxyType({})) -> Reply:
    headers = {"Content-Security-Policy": page.POLICY, "X-Content-Type-Options": "nosniff"}
    headers |= {"Cache-Control": "no-store", **more}
    return Reply(HTTPStatus.OK, text.encode(), "ok", headers, f"{kind}; charset=utf-8")


def _moved(where: str) -> Reply:
    return Reply(HTTPStatus.FOUND, b"", "ok", {"Location": where})


def _refusal(status: HTTPStatus) -> Reply:
    return json_reply({"ok": False, "error": status.phrase}, status)


def _whole_page(parts: Parts, channel: str | None) -> Reply:
    return _text(parts.page.html(channel), "text/html")


def _changing_part(parts: Parts, channel: str | None) -> Reply:
    return _text(parts.page.main(channel), "text/html", {"ETag": _etag(parts)})


def _etag(parts: Parts) -> str:
    return f'"{parts.store.changes}"'


def _messages(parts: Parts, channel: str | None) -> Reply:
    ids = {one.name: one.id for one in parts.store.channels()}
    chosen = None if channel is None else ids.get(channel.removeprefix("#"), channel)
    return _encoded({"messages": parts.store.messages(chosen), "channels": parts.store.channels()})


def _calls(parts: Parts, _channel: str | None) -> Reply:
    return _encoded({"calls": parts.calls.all()})


def _encoded(value: object) -> Reply:
    return Reply(HTTPStatus.OK, msgspec.json.encode(value), "ok")


_READ_ONLY: Final[dict[str, Callable[[Parts, str | None], Reply]]] = {
    "/": _whole_page,
    "/main": _changing_part,
    "/inbox.json": _messages,
    "/calls.json": _calls,
}
