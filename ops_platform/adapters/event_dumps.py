"""EventBridge envelopes out of a file, however they were put into it.

One to a line, one behind the other, or in arrays: objects are found by their braces. What archives
and S3 add around them is left out: the time in front of a line of CloudWatch's exports, and the
documents that carry envelopes as texts in ``logEvents``.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ops_platform.adapters.day_files import opened
from ops_platform.domain.errors import PlatformError

_CHUNK = 1 << 18
# Larger than any document that carries events.
_LARGEST = 1 << 25
# A text, which may hold braces, or a brace. Whatever is broken ends before a line that begins with
# an object: what is written over several lines has its inner ones further to the right.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+(?:"|\\?\Z)?|[{}]|\n(?:(?=\{)|\Z)')
_BRACES = (b"{", b"}")
_BETWEEN = re.compile(rb"[\s,\[\]]*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)?[\s,\[\]]*")
_CARRIER = b'"logEvents"'


class _Carried(msgspec.Struct):
    message: str


class _Carrier(msgspec.Struct):
    log_events: list[_Carried] = msgspec.field(name="logEvents")


_decode_carrier = msgspec.json.Decoder(_Carrier).decode


def envelopes(path: Path) -> Iterator[bytes]:
    """Yield each envelope, and each other piece of text, which is none."""
    for body in _pieces(path):
        yield from _carried(body)


def _carried(body: bytes) -> Iterator[bytes]:
    if _CARRIER in body:
        try:
            carrier = _decode_carrier(body)
        except msgspec.DecodeError:
            yield body
            return
        yield from (each.message.encode(errors="surrogatepass") for each in carrier.log_events)
    else:
        yield body


def _pieces(path: Path) -> Iterator[bytes]:
    splitter = _Splitter()
    with opened(path) as file:
        while chunk := file.read(_CHUNK):
            yield from splitter.feed(chunk)
    yield from splitter.rest()


class _Splitter:
    """Finds objects in a stream of bytes."""

    def __init__(self) -> None:
        self._text = b""
        self._begin = self._at = 0  # of the piece, and from where to search on
        self._depth = 0
        self._is_first = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what is whole after one more chunk."""
        if self._is_first:
            chunk, self._is_first = chunk.removeprefix(BOM_UTF8), False
        self._text = self._text[self._begin :] + chunk
        self._at -= self._begin
        self._begin = 0
        if len(self._text) > _LARGEST:
            raise PlatformError(
                f"In {_LARGEST >> 20} MB no object ends: this is no dump of events."
            )
        while token := _TOKEN.search(self._text, self._at):
            if token[0] not in _BRACES and token.end() == len(self._text):
                return  # perhaps there is more of it
            self._at = token.end()
            yield from self._piece(token)
        self._at = len(self._text)

    def rest(self) -> Iterator[bytes]:
        """Yield what is left over in the end."""
        yield from _others(self._text[self._begin :])

    def _piece(self, token: re.Match[bytes]) -> Iterator[bytes]:
        """Yield what ends with the token, or before it."""
        match token[0]:
            case b"{":
                if self._depth == 0:
                    yield from _others(self._cut(token.start()))
                self._depth += 1
            case b"}" if self._depth > 0:
                self._depth -= 1
                if self._depth == 0:
                    yield self._cut(token.end())
            case b"\n" if self._depth > 0:
                self._depth = 0
                yield self._cut(token.start())

    def _cut(self, end: int) -> bytes:
        piece, self._begin = self._text[self._begin : end], end
        return piece


def _others(text: bytes) -> Iterator[bytes]:
    """Yield the lines of a text that is no object, but for what may stand between objects."""
    for line in text.splitlines():
        if not _BETWEEN.fullmatch(line):
            yield line.strip()
