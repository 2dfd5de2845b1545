"""What was asked of production, each step of what became of it, and what it adds up to.

The record is written once and never edited: what was asked, then an entry for each thing done.
Where a promotion stands is read from its entries.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is asked for."""

    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    ADOPT = "adopt"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, by whom, for which code.

    ``machine`` is the state machine's name in ``account``. ``commit``, ``pull_request`` and what
    goes with them are None where nothing is deployed from a pull request. ``target`` is the
    deployment that is gone back to. ``owner`` is whom alerts mention from then on.
    """

    id: str
    kind: Kind
    account: str
    machine: str
    actor: str
    reason: str
    requested_at: datetime
    flow: str | None = None
    project: str | None = None
    repository: str | None = None
    pull_request: int | None = None
    commit: str | None = None
    flow_path: str | None = None
    author: str | None = None
    approvers: tuple[str, ...] = ()
    owner: str | None = None
    canary: bool = False
    target: int | None = None


class What(StrEnum):
    """A thing that was done on the way; the last four end it."""

    CHECKED = "checked"
    LOCKED = "locked"
    KEPT = "kept"
    """What ran before was published as a version, to go back to."""
    PREPARED = "prepared"
    """It was compiled with production's credentials, and compared with what runs."""
    TRIED = "tried"
    """A canary ran."""
    DEPLOYING = "deploying"
    """From here on production may have been changed by it."""
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    PUBLISHED = "published"
    STARTED = "started"
    """The first run in production was started."""
    RESTORED = "restored"
    """What had been changed was put back."""
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    """Nothing was touched."""
    FAILED = "failed"
    """Nothing of it stays in production."""
    LEFT = "left"
    """Something is left to be done by hand, and named."""


ENDS = frozenset({What.SUCCEEDED, What.REFUSED, What.FAILED, What.LEFT})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done; ``detail`` is what shows it, for programs. It holds no secret."""

    what: What
    at: datetime
    message: str
    detail: dict[str, object] = {}


class Status(StrEnum):
    """Where a promotion stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"
    LEFT = "half-done"


_STATUSES = {
    What.SUCCEEDED: Status.SUCCEEDED,
    What.REFUSED: Status.REFUSED,
    What.FAILED: Status.FAILED,
    What.LEFT: Status.LEFT,
}


def status_of(entries: Sequence[Entry]) -> Status:
    """Tell where a promotion stands, by the last thing that was done."""
    return _STATUSES.get(entries[-1].what, Status.RUNNING) if entries else Status.RUNNING


def request_id(kind: Kind, *parts: object) -> str:
    """Return the id that the same request has each time: of what is asked, not of when."""
    told = "\0".join([kind, *map(str, parts)])
    return f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
