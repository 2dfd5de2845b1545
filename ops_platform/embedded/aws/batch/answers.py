"""Requests to Batch and the answers to them, in JSON; pages of what is listed."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from moto.batch.exceptions import ClientException
from moto.batch.responses import BatchResponse

from ops_platform.embedded.aws.batch.compute import State
from ops_platform.embedded.aws.batch.model import JsonObject, now_ms

Body = Mapping[str, Any]
T = TypeVar("T")
_MOST_DESCRIBED = 100
_DAY = 86_400.0


class Named(Protocol):
    """What can be asked for by its name or its ARN."""

    @property
    def name(self) -> str:
        """The name that people gave it."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...


N = TypeVar("N", bound=Named)


class Token(msgspec.Struct, array_like=True):
    """What a page token says: which request it goes on with, behind what, and since when."""

    request: str
    behind: int
    issued_at: int


def answer(operation: Callable[[Body], JsonObject]) -> Callable[[BatchResponse], str]:
    """Return what moto calls for an operation of ours."""

    def respond(response: BatchResponse) -> str:
        return json.dumps(operation(json.loads(response.body or "{}")))

    return respond


def required(body: Body, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a parameter that must be there."""
    value = body.get(name)
    if value in (None, "", []):
        raise ClientException(f"Error executing request, Exception : {name} is required.")
    return value


def state_of(body: Body, default: State) -> State:
    """Return the state that is asked for."""
    match body.get("state"):
        case None:
            return default
        case "ENABLED":
            return "ENABLED"
        case "DISABLED":
            return "DISABLED"
        case other:
            raise ClientException(f"state {other} must be one of ENABLED | DISABLED")


def described(named: Mapping[str, N], body: Body, parameter: str) -> tuple[list[N], dict[str, str]]:
    """Return one page of what a request names under a parameter, or of everything there is."""
    wanted = frozenset(body.get(parameter) or ())
    if len(wanted) > _MOST_DESCRIBED:
        raise ClientException(f"{parameter} must not name more than 100")
    found = [
        (number, each)
        for number, each in enumerate(named.values())
        if not wanted or wanted & {each.name, each.arn}
    ]
    shown, token = page(found[::-1], lambda pair: pair[0], body, most=_MOST_DESCRIBED, seconds=_DAY)
    return [each for _, each in shown], token


def page(
    items: Sequence[T], number: Callable[[T], int], body: Body, *, most: int, seconds: float
) -> tuple[list[T], dict[str, str]]:
    """Return one page, and the token of the next one if there is more.

    Args:
        items: All that is listed, by falling number.
        number: The number of an item; what comes or goes between two pages shifts none.
        body: The request.
        most: The most that a page holds.
        seconds: For how long a token is taken.
    """
    size = int(body.get("maxResults") or most)
    if size < 1:
        raise ClientException("maxResults must be at least 1")
    size = min(size, most)
    request = _digest(body)
    if (given := body.get("nextToken")) is not None:
        behind = _read(given, request, seconds).behind
        items = [item for item in items if number(item) < behind]
    shown = list(items[:size])
    if len(items) <= size:
        return shown, {}
    return shown, {"nextToken": _write(Token(request, number(shown[-1]), now_ms()))}


def _digest(body: Body) -> str:
    asked = {name: value for name, value in body.items() if name not in {"nextToken", "maxResults"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _write(token: Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _read(text: str, request: str, seconds: float) -> Token:
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Token)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise ClientException("The nextToken is invalid") from error
    if token.request != request:
        raise ClientException("The nextToken is invalid: it belongs to another request")
    if now_ms() - token.issued_at > seconds * 1000:
        raise ClientException("The nextToken is invalid: it has expired")
    return token
