"""What facts amount to within a period, by plain loops: counts, spreads, levels, ages, usage.

A period is from ``begin`` until before ``end``, in milliseconds, and what lasts does so likewise. A
level or age opens with what it was just before; then all changes of a moment happen at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

HOUR_MS = 3_600_000
FOREVER = 2**62
Numbers = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened; of dimensions and values it has those that are known."""

    what: str
    at: int
    dimensions: dict[str, str]
    values: dict[str, float] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()

    def within(self, begin: int, end: int) -> bool:
        """Tell whether it happened in a period."""
        return begin <= self.at < end


@dataclass(frozen=True, slots=True)
class Lasted:
    """Something that lasted from ``began`` until before ``ended``, or still does (`FOREVER`)."""

    what: str
    began: int
    ended: int
    dimensions: dict[str, str]
    values: dict[str, float] = field(default_factory=dict)

    def within(self, begin: int, end: int) -> bool:
        """Tell whether any of it was in a period, or up to its begin."""
        return self.began < self.ended and self.began < end and begin <= self.ended

    def lasts(self, end: int) -> bool:
        """Tell whether it was there up to the end of a period."""
        return self.began < end <= self.ended


Fact = Happened | Lasted


class Way(Protocol):
    """How a metric's numbers come from the facts of a group."""

    def facts(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Yield the facts that the metric is of."""
        ...

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the metric's numbers in a period, of facts that it is of."""
        ...


@dataclass(frozen=True, slots=True)
class _Happenings:
    """What those metrics have in common that are of what happened; some only if it is marked."""

    what: str
    value: str = ""
    mark: str = ""

    def facts(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Yield the facts that the metric is of: those with the mark, and with a value."""
        for fact in facts:
            if fact.what != self.what or not isinstance(fact, Happened):
                continue
            if self.mark in ("", *fact.marks) and self.value in ("", *fact.values):
                yield fact

    def values(self, facts: Sequence[Fact], begin: int, end: int) -> list[float]:
        """Return the values of a period, from the least on; without a value each fact is 1."""
        return sorted(fact.values.get(self.value, 1) for fact in facts if fact.within(begin, end))


class Counted(_Happenings):
    """How often it happened."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the count."""
        return {"count": len(self.values(facts, begin, end))}


class Summed(_Happenings):
    """The sum of a value."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the sum."""
        return {"sum": sum(self.values(facts, begin, end))}


class Spread(_Happenings):
    """How a value is spread."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return count, sum, least, most and percentiles."""
        values = self.values(facts, begin, end)
        return {
            "count": len(values),
            "sum": sum(values),
            "min": values[0] if values else None,
            "max": values[-1] if values else None,
            **{f"p{percent}": percentile(values, percent) for percent in (50, 90, 99)},
        }


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return a percentile, between neighbours in proportion; None of nothing."""
    if not ordered:
        return None
    whole, rest = divmod(percent * (len(ordered) - 1), 100)
    below, above = ordered[whole], ordered[min(whole + 1, len(ordered) - 1)]
    return below + (above - below) * rest / 100


@dataclass(frozen=True, slots=True)
class _Lastings:
    """What those metrics have in common that are of what lasted."""

    what: str
    amount: str = ""

    def facts(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Yield the facts that the metric is of."""
        for fact in facts:
            if fact.what == self.what and self.amount in ("", *fact.values):
                yield fact

    def within(self, facts: Sequence[Fact], begin: int, end: int) -> list[Lasted]:
        """Return what was there in a period."""
        return [fact for fact in facts if isinstance(fact, Lasted) and fact.within(begin, end)]


class Leveled(_Lastings):
    """How much there was, of an amount or in number."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return how much there was at the end, and at most after all changes of a moment."""
        changes: dict[int, float] = defaultdict(float)
        for fact in self.within(facts, begin, end):
            amount = fact.values.get(self.amount, 1)
            changes[fact.began] += amount
            changes[fact.ended] -= amount
        level = most = sum(change for at, change in changes.items() if at < begin)
        for at in sorted(changes):
            if begin <= at < end:
                level += changes[at]
                most = max(most, level)
        return {"last": level, "max": most}


class Aged(_Lastings):
    """How long the oldest had lasted."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the age of the oldest at the end, and of whichever was the oldest ever."""
        there = self.within(facts, begin, end)
        return {
            "last": max((end - fact.began for fact in there if fact.lasts(end)), default=0),
            "max": max((min(fact.ended, end) - fact.began for fact in there), default=0),
        }


class Used(_Lastings):
    """An amount times the hours it was there."""

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the sum."""
        used = (
            fact.values[self.amount] * (min(fact.ended, end) - max(fact.began, begin))
            for fact in self.within(facts, begin, end)
        )
        return {"sum": sum(used) / HOUR_MS}


@dataclass(frozen=True, slots=True)
class Part:
    """One number of a metric, of those facts only that have one of these values."""

    way: Way
    number: str
    dimension: str = ""
    values: tuple[str, ...] = ()

    def facts(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Yield the facts that it is of."""
        for fact in self.way.facts(facts):
            if not self.dimension or fact.dimensions.get(self.dimension) in self.values:
                yield fact

    def of(self, facts: Sequence[Fact], begin: int, end: int) -> float:
        """Return the number."""
        return self.way.numbers(list(self.facts(facts)), begin, end)[self.number] or 0


@dataclass(frozen=True, slots=True)
class Shared:
    """One number over another."""

    part: Part
    whole: Part

    def facts(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Yield the facts that the whole is of."""
        return self.whole.facts(facts)

    def numbers(self, facts: Sequence[Fact], begin: int, end: int) -> Numbers:
        """Return the share, if there is anything to have a share of."""
        whole = self.whole.of(facts, begin, end)
        return {"share": self.part.of(facts, begin, end) / whole if whole else None}
