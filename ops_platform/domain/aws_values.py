"""Values as AWS writes them, made into ours, within what the ledger can hold."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from ops_platform.domain.redaction import redact

T = TypeVar("T")
N = TypeVar("N", int, float)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_LIMIT = 2000
NUMBER_LIMIT = 2**31  # of the ledger's integer columns
# Escapes of U+0000 and of halves of surrogate pairs: Postgres stores no text with either, and AWS
# may cut a text within a pair.
_UNSTORABLE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
# Most documents have none: one look tells, for a fifth of what ``in`` takes three times over.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD])")


def storable(document: bytes) -> bytes:
    """Return a JSON document with the replacement character for what no text can hold."""
    if not _SUSPECT.search(document):
        return document
    return _UNSTORABLE.sub(rb"\1\\ufffd", document)


def moment(millis: int | None) -> datetime | None:
    """Return the moment so many milliseconds after the epoch."""
    return None if millis is None else EPOCH + timedelta(milliseconds=millis)


def millis(at: datetime | None) -> int | None:
    """Return how many whole milliseconds after the epoch a moment is."""
    return None if at is None else (at - EPOCH) // timedelta(milliseconds=1)


def clip(text: str | None) -> str | None:
    """Return the text, or as much of it as is worth keeping."""
    return text if text is None or len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def words(text: str | None) -> str | None:
    """Return what somebody wrote of a job, without secrets: as much of it as is worth keeping."""
    clipped = clip(text)
    return clipped and _redacted(clipped)


# AWS writes the same few sentences of most jobs.
_redacted = lru_cache(maxsize=1024)(redact)


def either(first: T | None, second: T | None) -> T | None:
    """Return the first, or the second where there is no first."""
    return second if first is None else first


def number(text: str | None, kind: Callable[[str], N]) -> N | None:
    """Return the number that a text holds, if it is one that the ledger can hold."""
    try:
        found = None if text is None else kind(text)
    except ValueError:
        return None
    return found if found is not None and 0 <= found < NUMBER_LIMIT else None
