"""What a failed call to Slack says about the message: refused, never sent, or unknown."""

import errno
import re
import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from types import MappingProxyType
from typing import Final
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from ops_platform.domain.delivery import Ambiguous, Fault, RateLimited, Refused, Unreachable

NotDelivered = RateLimited | Refused | Unreachable | Ambiguous

_OTHER_JSON: Final = (ValueError, AttributeError, LookupError, RecursionError, TypeError)
FAILURES: Final = (SlackClientError, HTTPException, OSError, *_OTHER_JSON)
"""What a call and its reading may raise: the client takes any JSON for the answer."""

_LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_UNCERTAIN: Final = frozenset({"fatal_error", "internal_error", "service_unavailable"})
_DEFAULT_WAIT_SECONDS: Final = 30
# A longer wait is nonsense, and would silence a channel for good.
_LONGEST_WAIT_SECONDS: Final = 3600
_CODE: Final = re.compile(r"[a-z0-9_.-]+\Z")
_NO_ROUTE: Final = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
)

_FAULTS: Final[Mapping[Fault, frozenset[str]]] = MappingProxyType(
    {
        Fault.CONTENT: frozenset(
            {
                "invalid_attachments",
                "invalid_blocks",
                "invalid_blocks_format",
                "invalid_metadata_format",
                "invalid_metadata_schema",
                "markdown_text_conflict",
                "metadata_must_be_sent_from_app",
                "metadata_too_large",
                "msg_blocks_too_long",
                "msg_too_long",
                "no_text",
                "too_many_attachments",
            }
        ),
        Fault.CHANNEL: frozenset(
            {
                "channel_not_found",
                "channel_type_not_supported",
                "is_archived",
                "not_in_channel",
                "restricted_action",
                "restricted_action_non_threadable_channel",
                "restricted_action_read_only_channel",
                "restricted_action_thread_only_channel",
            }
        ),
        Fault.MESSAGE: frozenset(
            {
                "cannot_reply_to_message",
                "cant_update_message",
                "edit_window_closed",
                "message_not_found",
                "restricted_action_thread_locked",
                "thread_not_found",
            }
        ),
        Fault.TOKEN: frozenset(
            {
                "access_denied",
                "account_inactive",
                "invalid_auth",
                "missing_scope",
                "no_permission",
                "not_allowed_token_type",
                "not_authed",
                "team_access_not_granted",
                "token_expired",
                "token_revoked",
            }
        ),
        Fault.PASSING: frozenset(
            {"accesslimited", "org_login_required", "request_timeout", "team_added_to_org"}
        ),
    }
)


def outcome_of(error: Exception) -> NotDelivered:
    """Return what the failure of a call says; whatever is not certain is ambiguous."""
    if isinstance(error, SlackApiError):
        return _answered(error.response)
    if _never_sent(error):
        return Unreachable(_sentence(error))
    return Ambiguous(_sentence(error))


def _answered(response: SlackResponse) -> NotDelivered:
    data = response.data if isinstance(response.data, dict) else {}
    code = str(data.get("error") or "")
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or code in _LIMITED:
        return RateLimited(_retry_after(response.headers))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Ambiguous(f"HTTP {response.status_code}")
    # Of an answer that is not Slack's JSON, the client makes an error that is a sentence.
    if not _CODE.match(code):
        return Ambiguous(f"HTTP {response.status_code} without an answer of Slack's")
    if code in _UNCERTAIN:
        return Ambiguous(code)
    return _refused(code)


def _refused(code: str) -> Refused:
    fault = next((fault for fault, codes in _FAULTS.items() if code in codes), Fault.OTHER)
    return Refused(code, permanent=fault is not Fault.PASSING, fault=fault)


def _retry_after(headers: Mapping[str, str]) -> int:
    given = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    if not (given.isascii() and given.isdigit()):
        return _DEFAULT_WAIT_SECONDS
    return min(max(1, int(given[:9])), _LONGEST_WAIT_SECONDS)


def _never_sent(error: Exception) -> bool:
    # A connection that was lost is another matter: the request may have arrived before.
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in _NO_ROUTE


def _sentence(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    # Only of the network: what Python says of a bad header shows the header, and so the token.
    told = isinstance(reason, OSError | str)
    return f"{type(reason).__name__}: {reason}" if told else type(reason).__name__
