"""The raw messages, read with nothing but a JSON decoder: what the recount begins with."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS = {
    "Batch Job State Change": "job",
    "Batch Job Queue Blocked": "queue_blocked",
    "Step Functions Execution Status Change": "execution",
    "ECS Container Instance State Change": "container_instance",
}
SUBJECTS = {
    "job": "jobId",
    "queue_blocked": "jobId",
    "execution": "executionArn",
    "container_instance": "containerInstanceArn",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event; ``at`` is its envelope's time in milliseconds since the epoch."""

    id: str
    at: int
    account: str
    kind: str
    detail: Json

    @property
    def subject(self) -> str:
        """What the event is of."""
        return str(self.detail[SUBJECTS[self.kind]])

    @property
    def made(self) -> bool:
        """Whether an answer of an API told this, and no event of AWS's."""
        return self.id.startswith("api:")


def read(bodies: Iterable[bytes], accounts: Mapping[str, str]) -> list[Told]:
    """Return the events in messages, each once: the same id at the same time is the same event."""
    found: dict[tuple[int, str], Told] = {}
    for body in bodies:
        envelope = json.loads(body)
        told = Told(
            id=envelope["id"],
            at=millis(datetime.fromisoformat(envelope["time"])),
            account=accounts.get(envelope["account"], envelope["account"]),
            kind=KINDS[envelope["detail-type"]],
            detail=envelope["detail"],
        )
        found[told.at, told.id] = told
    return list(found.values())


def millis(at: datetime) -> int:
    """Return how many milliseconds after the epoch a moment is."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def by_subject(told: Iterable[Told], *kinds: str) -> dict[tuple[str, str], list[Told]]:
    """Return the events of some kinds by account and subject."""
    found: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for each in told:
        if each.kind in kinds:
            found[each.account, each.subject].append(each)
    return found


def tail(arn: str) -> str:
    """Return the name at the end of an ARN, with its revision if it has one."""
    return arn.rsplit("/", 1)[-1].rsplit(":job-queue:", 1)[-1]


def known(**values: str | None) -> dict[str, str]:
    """Return those of the values that are known, by name."""
    return {name: value for name, value in values.items() if value}


def first(values: Iterable[T | None], choose: Callable[[Iterable[T]], T]) -> T | None:
    """Return the one that is chosen among the known values, or None if none is known."""
    found = [value for value in values if value is not None]
    return choose(found) if found else None
