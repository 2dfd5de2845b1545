"""The facts of jobs, from raw events: what happened to them, and what lasted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import JobEvent
from ops_platform.domain.prices import DEFAULT_PRICES, Price
from ops_platform.domain.reasons import classify
from ops_platform_tests.recount_attempts import (
    Attempt,
    attempts,
    attempts_of,
    ended,
    entered,
    newest,
    states,
    until,
)
from ops_platform_tests.recount_raw import Json, Told, by_subject, first, known, tail
from ops_platform_tests.recount_ways import FOREVER, HOUR_MS, Fact, Happened, Lasted

_STALE = "ops_platform cancelled this stale job"
Places = Mapping[tuple[str, str], tuple[int, dict[str, str]]]
Bodies = Mapping[tuple[int, str], bytes]


def job_facts(
    told: Iterable[Told], *, places: Places, prices: Sequence[Price], bodies: Bodies
) -> Iterator[Fact]:
    """Yield the facts of all jobs but the parents of arrays.

    ``places`` are of container instances, by account and ARN, when they came and their dimensions.
    A failed job's reason is asked of the platform's own rules, which are no part of what is
    recounted, so they are given the whole message.
    """
    for (account, _), events in by_subject(told, "job", "queue_blocked").items():
        latest = newest(events)
        if (latest.detail.get("arrayProperties") or {}).get("size") is None:
            body = bodies[latest.at, latest.id]
            yield from _Job(account, events, places, prices).facts(body)


class _Job:
    """One job, whose facts are told."""

    def __init__(
        self, account: str, told: Sequence[Told], places: Places, prices: Sequence[Price]
    ) -> None:
        self.told, self.latest = told, newest(told)
        self.detail = self.latest.detail
        self.created: int | None = self.detail.get("createdAt")
        self.ended = ended(self.latest)
        self.attempts = attempts(told)
        self.needs = _needs(self.detail.get("container") or {})
        self.of_job = _dimensions(account, self.detail)
        self._account, self._places, self._prices = account, places, prices

    def facts(self, body: bytes) -> Iterator[Fact]:
        """Yield all facts of the job."""
        yield from self._blocks()
        yield from self._beginnings()
        for number, attempt in enumerate(self.attempts):
            yield from self._moves(number, attempt)
            yield from self._reservation(number, attempt)
            yield from self._attempt_end(number, attempt)
        for state, begin, end in states(self.told):
            yield Lasted("state", begin, end, self.of_job | {"state": state})
            if state == "RUNNABLE":
                since = max(filter(lambda at: at <= begin, self._ready()))
                yield Lasted("runnable", since, end, self.of_job)
        if self.ended is not None:
            yield from self._end(self.ended, body)

    def _ready(self) -> list[int]:
        return [each.runnable for each in self.attempts if each.runnable is not None]

    def _blocks(self) -> Iterator[Fact]:
        for at in {each.at for each in self.told if each.kind == "queue_blocked"}:
            yield Happened("blocked", at, self.of_job)

    def _beginnings(self) -> Iterator[Fact]:
        submitted = entered(self.told, "SUBMITTED")
        begin = submitted if self.created is None else self.created
        if begin is not None:
            yield Happened("submitted", begin, self.of_job)
        for state, at in (("SUBMITTED", submitted), ("PENDING", entered(self.told, "PENDING"))):
            if at is not None:
                yield Happened("moved", at, self.of_job | {"state": state})

    def _moves(self, number: int, attempt: Attempt) -> Iterator[Fact]:
        there = self._where(attempt)
        if attempt.runnable is not None:
            yield Happened("moved", attempt.runnable, self.of_job | {"state": "RUNNABLE"})
            if number:
                yield Happened("retried", attempt.runnable, self.of_job)
            else:
                waited = _since(self.created, attempt.runnable)
                yield Happened("ready", attempt.runnable, self.of_job, _known(waited=waited))
        if attempt.starting is not None:
            yield Happened("moved", attempt.starting, there | {"state": "STARTING"})
            waits = {"waited": _since(attempt.runnable, attempt.starting)}
            if number == 0:
                waits["since_submitted"] = _since(self.created, attempt.starting)
            yield Happened("placed", attempt.starting, there, _known(**waits))
        if attempt.ran is not None:
            yield Happened("moved", attempt.ran, there | {"state": "RUNNING"})
        if attempt.running is not None:
            waited = _since(attempt.starting, attempt.running)
            yield Happened("started", attempt.running, there, _known(waited=waited))

    def _reservation(self, number: int, attempt: Attempt) -> Iterator[Fact]:
        if attempt.placed is not None:
            amounts = self.needs and self.needs | {"usd": self._rate(attempt)}
            there = self._where(attempt)
            yield Lasted("reserved", attempt.placed, until(self.told, number), there, amounts)

    def _attempt_end(self, number: int, attempt: Attempt) -> Iterator[Fact]:
        if attempt.stopped is None:
            return
        last = number == max(len(self.attempts), len(attempts_of(self.detail))) - 1
        fine = last and self.detail["status"] == "SUCCEEDED"
        outcome = "succeeded" if fine else "failed"
        held = _since(attempt.placed, attempt.stopped)
        values = _known(
            running=_since(attempt.running, attempt.stopped),
            total=held,
            cost=held and held / HOUR_MS * self._rate(attempt) if self.needs else None,
        )
        there = self._where(attempt) | {"outcome": outcome}
        yield Happened("attempt_ended", attempt.stopped, there, values, frozenset({outcome}))

    def _end(self, at: int, body: bytes) -> Iterator[Fact]:
        status = self.detail["status"]
        over = [each for each in self.attempts if each.stopped is not None]
        there = self._where(over[-1]) if over else self.of_job
        ran = [_since(each.running, each.stopped) for each in over]
        total = _since(self.created, at)
        values = _known(
            running=ran[-1] if ran else None,
            total=total,
            waiting=None if total is None else max(0, total - sum(filter(None, ran))),
        )
        yield Happened("moved", at, there | {"state": status})
        yield Happened("ended", at, there | {"status": status}, values)
        if status == "FAILED":
            reason = _reason(body)
            yield Happened("failed", at, there | {"reason": reason}, {}, self._asked())

    def _asked(self) -> frozenset[str]:
        asked = {
            "cancelled": self.detail.get("isCancelled"),
            "terminated": self.detail.get("isTerminated"),
            "stale": (self.detail.get("statusReason") or "").startswith(_STALE),
        }
        return frozenset(name for name, yes in asked.items() if yes)

    def _where(self, attempt: Attempt) -> dict[str, str]:
        """Return what is known of an attempt; of its host from the hour on in which that came."""
        began = first([attempt.starting, attempt.ran, attempt.running], min)
        placed = attempt.stopped if began is None else began
        came, place = self._places.get((self._account, attempt.instance or ""), (FOREVER, {}))
        is_known = placed is not None and came // HOUR_MS <= placed // HOUR_MS
        return self.of_job | (place if is_known else {})

    def _rate(self, attempt: Attempt) -> float:
        """Return the dollars for an hour of the attempt."""
        kind = self._where(attempt).get("instance_type", "")
        price = price_of(kind, self._prices)
        vcpus, gib = self.needs.get("vcpus", 0), self.needs.get("gib", 0)
        return vcpus * price.vcpu_hour + gib * price.gib_hour


def price_of(kind: str, prices: Sequence[Price]) -> Price:
    """Return the price of an instance type: its own, or of its longest beginning, or Fargate's."""
    own = [price for price in prices if price.instance_type == kind]
    beginnings = [
        price
        for price in prices
        if price.instance_type.endswith("*") and kind.startswith(price.instance_type[:-1])
    ]
    longest = sorted(beginnings, key=lambda price: len(price.instance_type), reverse=True)
    return (own + longest + list(DEFAULT_PRICES))[0]


def _dimensions(account: str, detail: Json) -> dict[str, str]:
    given = detail.get("parameters") or {}
    user = given.get("metaflow.user")
    return known(
        account=account,
        queue=tail(detail["jobQueue"]),
        definition=tail(detail.get("jobDefinition", "")),
        flow=given.get("metaflow.flow_name"),
        step=given.get("metaflow.step_name"),
        owner=given.get("metaflow.owner") or (user if user != "SFN" else None),
    )


def _needs(container: Json) -> dict[str, float]:
    asked = {each["type"]: each["value"] for each in container.get("resourceRequirements") or ()}
    vcpus = asked.get("VCPU", container.get("vcpus"))
    memory = asked.get("MEMORY", container.get("memory"))
    needs = {"vcpus": vcpus, "mib": memory, "gib": memory and float(memory) / 1024}
    return {name: float(value) for name, value in needs.items() if value is not None}


def _since(begin: int | None, end: int | None) -> int | None:
    """Return the milliseconds between moments; never less than none, as some are cut off."""
    return None if begin is None or end is None else max(0, end - begin)


def _known(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _reason(body: bytes) -> str:
    event = parse(body)
    assert isinstance(event, JobEvent)
    return classify(event).value
