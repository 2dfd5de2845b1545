"""What becomes of a message after an attempt to deliver it that did not succeed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ops_platform.domain.delivery import Ambiguous, Fault, RateLimited, Refused, Unreachable

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
# Slack may still be at work on a post whose connection we lost; to look sooner proves nothing.
UNSURE_WAIT = timedelta(seconds=30)
# What Slack limits wherever it is done; posts are limited by channel.
EDITS = "edits"
LOOKUPS = "look-ups"
PERMALINKS = "permalinks"
UNTELLABLE = "cannot be told"
"""How the reason begins of a message that could not even be written."""


class State(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    """Waits until it is due."""
    SENDING = "sending"
    """A sender has it, or had it when it died."""
    AMBIGUOUS = "ambiguous"
    """The sender does not know whether it arrived."""
    SENT = "sent"
    DEAD = "dead"
    """Nothing will deliver it."""
    WITHHELD = "withheld"
    """Recorded, but not to be sent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a message: the how-manieth in a row, and how it was made.

    ``may_fall_back`` says that there is another channel left to try.
    """

    number: int
    unsure: bool
    edits: bool
    replies: bool
    plain: bool
    may_fall_back: bool


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next, and the reason in Slack's own word.

    ``plain`` and ``fallback`` ask for another way, ``afresh`` for a new message in the place of one
    that cannot be edited, or stands where nobody can edit it. Until ``hold`` is over nobody else is
    to try either.
    """

    state: State
    due_at: datetime
    reason: str
    plain: bool = False
    fallback: bool = False
    afresh: bool = False
    hold: timedelta | None = None


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts."""
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)


def unsure_wait(attempts: int) -> timedelta:
    """Return how long to wait before one looks whether a message arrived."""
    return max(UNSURE_WAIT, backoff(attempts))


def after(
    outcome: RateLimited | Refused | Unreachable | Ambiguous,
    attempt: Attempt,
    *,
    now: datetime,
    give_up: timedelta,
) -> Next:
    """Return what becomes of a message that was not delivered, or not surely.

    A cause that only a person can put right, such as a revoked token, is waited for until
    ``give_up`` has passed.
    """
    state = State.AMBIGUOUS if attempt.unsure else State.PENDING
    match outcome:
        case RateLimited(retry_after_seconds=seconds):
            wait = timedelta(seconds=seconds)
            return Next(state, now + wait, f"rate limited for {seconds} s", hold=wait)
        case Ambiguous(error=error):
            return Next(State.AMBIGUOUS, now + unsure_wait(attempt.number), error)
        case Refused(error=error, permanent=True, fault=fault):
            return _refused(error, fault, attempt, now=now, give_up=give_up)
        case Refused(error=error) | Unreachable(error=error):
            return Next(state, now + backoff(attempt.number), error)


def _refused(
    error: str, fault: Fault, attempt: Attempt, *, now: datetime, give_up: timedelta
) -> Next:
    if fault is Fault.CONTENT and not attempt.plain:
        return Next(State.PENDING, now, error, plain=True)
    if fault is Fault.CHANNEL and attempt.may_fall_back and not attempt.replies:
        return Next(State.PENDING, now, error, fallback=True, afresh=attempt.edits)
    if fault is Fault.MESSAGE and attempt.edits:
        return Next(State.PENDING, now, error, afresh=True)
    final = fault in {Fault.CONTENT, Fault.MESSAGE}
    if final or attempt.number * LONGEST_RETRY >= give_up:
        return Next(State.DEAD, now, error)
    # Until a person has repaired the token or the channel.
    return Next(State.PENDING, now + LONGEST_RETRY, error)
