"""What became of a message given to Slack, as far as the sender can know."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What a definite refusal blames, and so what could still help."""

    CONTENT = "content"
    """The message itself: a plainer or shorter one may pass."""
    CHANNEL = "channel"
    """The channel is gone, closed or not ours: another channel may take it."""
    MESSAGE = "message"
    """The message to edit or to reply to is gone: a fresh post may pass."""
    TOKEN = "token"  # noqa: S105 - the name of a cause, not a secret
    """Our credentials or scopes: nothing passes until a person repairs them."""
    PASSING = "passing"
    """A state of the workspace that ends by itself: the same message may pass later."""
    OTHER = "other"
    """Definite, but no cause we know."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The message is in the channel. ``channel`` is Slack's id, also if a name was asked for."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class RateLimited:
    """The message was not taken; not to be offered again before these seconds have passed."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The message was definitely not taken, and Slack said why."""

    error: str
    permanent: bool = True
    fault: Fault = Fault.OTHER


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The message never left: no connection came about. Safe to send again."""

    error: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The message may or may not be there: to be looked up before it is sent again."""

    error: str


@dataclass(frozen=True, slots=True)
class LookupUnavailable:
    """The question could not be answered, which says nothing about the message.

    ``passing`` says that the same question may be answered later.
    """

    error: str
    retry_after_seconds: int | None = None
    passing: bool = False


Delivery = Sent | RateLimited | Refused | Unreachable | Ambiguous
"""Every outcome of one attempt to post or edit."""
