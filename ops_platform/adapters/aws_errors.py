"""AWS's errors as sentences that say what was tried, what AWS answered and what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops_platform.domain.errors import PlatformError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

FORBIDDEN = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
)
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_UNREACHABLE = frozenset(
    {"ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "ReadTimeoutError"}
)


class AwsError(PlatformError):
    """AWS refused a call or could not be reached; ``code`` is AWS's own name for it."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def explained(doing: str, *, hints: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn an error of boto3 inside the block into an `AwsError`.

    Args:
        doing: What was tried, to follow "Could not".
        hints: What to do, by AWS's error code, where the general advice is not the best.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow to import)

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = _code(error)
        advice = (hints or {}).get(code) or _advice(code)
        raise AwsError(f"Could not {doing}: {_said(error)}. {advice}", code=code) from error


def _code(error: "BotoCoreError | ClientError") -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _said(error: "BotoCoreError | ClientError") -> str:
    response = getattr(error, "response", {})
    message = str(response.get("Error", {}).get("Message") or error).strip().rstrip(".")
    return f"{_code(error)}: {message}"


def _advice(code: str) -> str:
    if code in FORBIDDEN:
        return "Allow this action in the policy of the platform's role in that account."
    if code in _BAD_CREDENTIALS:
        return "Check the account's role_arn, external_id or profile, and the credentials it uses."
    if code in _UNREACHABLE:
        return "Check the account's region and endpoint_url, and the network to AWS."
    return "If it does not pass by itself, look the code up in AWS's documentation."
