"""The HTTP server of one account."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from ops_platform.embedded.aws.account import READY_PATH

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PortTakenError(RuntimeError):
    """Another program listens on the account's port."""


class AccountServer:
    """Serves the AWS APIs of one account on a loopback port; says who it is once it is ready."""

    def __init__(self, account_id: str, port: int) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._account_id = account_id
        self._ready = threading.Event()
        self._socket = _listen(port)
        self._moto: Wsgi = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1",
            port,
            self._respond,
            threaded=True,
            request_handler=MotoRequestHandler,
            fd=self._socket.fileno(),
        )

    def start(self) -> None:
        """Serve in the background."""
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()

    def declare_ready(self) -> None:
        """Answer from now on that the account is provisioned."""
        self._ready.set()

    def _respond(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if _is_a_page(environ):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"The emulated AWS answers no pages of a browser."]
        if environ["PATH_INFO"] != READY_PATH:
            return self._moto(environ, start_response)
        ready = self._ready.is_set()
        status = "200 OK" if ready else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain")])
        return [self._account_id.encode() if ready else b""]


def _is_a_page(environ: Mapping[str, Any]) -> bool:
    """Tell a page in the user's browser from a program: only browsers send these headers.

    Moto lets every web site in, and a job that a site submits is a process on this machine.
    """
    return "HTTP_ORIGIN" in environ or "HTTP_SEC_FETCH_SITE" in environ


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise PortTakenError(
            f"Port {port} is taken by another program; choose another port. ({error.strerror})"
        ) from error
    listening.listen(128)
    return listening
