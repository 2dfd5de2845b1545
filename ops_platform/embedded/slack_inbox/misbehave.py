"""One call from end to end, with whatever was planned to go wrong."""

import threading
from http import HTTPStatus
from typing import Final

from ops_platform.embedded.slack_inbox.api import Reply, Request, answer, json_reply, rate_limited
from ops_platform.embedded.slack_inbox.calls import Calls
from ops_platform.embedded.slack_inbox.faults import Fault, Faults
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.values import text_of

_PAGE: Final = b"<html><body><h1>Server Error</h1></body></html>"
_NOTHING: Final = Fault(method="")


class Dispatcher:
    """Answers calls, carrying out the planned faults and keeping the log."""

    def __init__(self, around: Surroundings, faults: Faults, calls: Calls) -> None:
        self._around = around
        self._faults = faults
        self._calls = calls
        self.closing = threading.Event()

    def handle(self, request: Request) -> Reply | None:
        """Return the answer to a call, or None if the connection is to end without one."""
        at = self._calls.arrived()
        channel = text_of(request.arguments, "channel")
        fault = self._faults.next_for(request.method, channel) or _NOTHING
        self.closing.wait(fault.hold)
        reply = self._reply(request, fault)
        # Slack limits posts by channel, however it is named, and all else by method.
        is_post = request.method == "chat.postMessage"
        limited = self._around.workspace.id_of(channel) if is_post else None
        outcome = reply.outcome if reply else "cut"
        self._calls.add(request.method, channel, at, outcome, limited=limited)
        if reply and (seconds := reply.headers.get("Retry-After")):
            self._calls.hold_off(request.method, limited, float(seconds))
        self.closing.wait(fault.delay)
        return reply

    def _reply(self, request: Request, fault: Fault) -> Reply | None:
        if not fault.answers:
            return answer(self._around, request)
        if fault.commit:
            answer(self._around, request)
        return _false_answer(fault)


def _false_answer(fault: Fault) -> Reply | None:
    if fault.cut:
        return None
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        return rate_limited(fault.retry_after)
    if fault.error is not None:
        return json_reply({"ok": False, "error": fault.error}, fault.status or HTTPStatus.OK)
    if fault.body is not None:
        return Reply(fault.status or HTTPStatus.OK, fault.body.encode(), "garbage")
    status = fault.status or HTTPStatus.INTERNAL_SERVER_ERROR
    return Reply(status, _PAGE, str(status.real), content_type="text/html; charset=utf-8")
