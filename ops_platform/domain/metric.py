"""What a metric is: a name, a unit, what it tells apart, and how it comes from facts.

A fact is something that happened or lasted: a job that came to a state, an attempt that ended, a
job that was RUNNABLE for a while. The ledger holds facts by the name of a `Facts`; a metric of an
hour is what its `How` makes of those facts that belong to the hour.
"""

from dataclasses import dataclass
from enum import StrEnum


class Noun(StrEnum):
    """What metrics are grouped by: the things they are about."""

    JOBS = "jobs"
    EXECUTIONS = "executions"
    INSTANCES = "instances"
    PLATFORM = "platform"


class Unit(StrEnum):
    """What a number is of."""

    COUNT = "count"
    MILLISECONDS = "ms"
    VCPUS = "vCPU"
    MIB = "MiB"
    VCPU_HOURS = "vCPU h"
    GIB_HOURS = "GiB h"
    USD = "USD"
    SHARE = "share"


class Facts(StrEnum):
    """The kinds of facts; each is a relation of the ledger with the columns that are named here.

    A fact that happened has ``moment``; one that lasted has ``began`` and ``ended``, which is None
    while it lasts. Beside them it has the dimensions of its metrics and the values they name.
    """

    SUBMISSIONS = "submissions"
    TRANSITIONS = "transitions"
    RETRIES = "retries"
    READIES = "readies"
    PLACEMENTS = "placements"
    STARTS = "starts"
    ATTEMPT_ENDS = "attempt_ends"
    JOB_ENDS = "job_ends"
    FAILURES = "failures"
    QUEUE_BLOCKS = "queue_blocks"
    STATES = "states"
    RUNNABLE = "runnable"
    RESERVATIONS = "reservations"
    EXECUTION_MOVES = "execution_moves"
    EXECUTION_ENDS = "execution_ends"
    EXECUTIONS_RUNNING = "executions_running"
    REGISTRATIONS = "registrations"
    DEREGISTRATIONS = "deregistrations"
    INSTANCES_UP = "instances_up"
    EVENTS = "events"
    REJECTIONS = "rejections"
    ALERTS = "alerts"
    STALE_JOBS = "stale_jobs"


@dataclass(frozen=True, slots=True)
class Count:
    """How many facts happened in the hour; ``where`` names a condition that they fulfil."""

    facts: Facts
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How a value is spread over the facts of the hour: count, sum, least, most, percentiles."""

    facts: Facts
    value: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a value over the facts of the hour."""

    facts: Facts
    value: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How much there was of what lasted: at the end of the hour, and at most within it."""

    facts: Facts
    amount: str | None = None


@dataclass(frozen=True, slots=True)
class Age:
    """How long the oldest of what lasted had done so: at the end of the hour, and at most."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Usage:
    """How much the hour took of what lasted: an amount times the hours that fell within it."""

    facts: Facts
    amount: str


@dataclass(frozen=True, slots=True)
class Part:
    """A metric's number over some of its rows: those whose dimensions have these values."""

    metric: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric over another, made when it is read; so it is exact however rows are grouped."""

    part: Part
    whole: Part


How = Count | Spread | Total | Level | Age | Usage | Ratio


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; ``aws`` names the one of CloudWatch, if any, whose meaning it has.

    Of the dimensions in ``closed`` all values are known, and each is written, if only as zero.
    """

    name: str
    noun: Noun
    unit: Unit
    description: str
    dimensions: tuple[str, ...]
    how: How
    closed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    aws: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The numbers that a row of the metric shows."""
        match self.how:
            case Count():
                return ("count",)
            case Spread():
                return ("count", "sum", "min", "max", "p50", "p90", "p99")
            case Level() | Age():
                return ("last", "max")
            case Total() | Usage():
                return ("sum",)
            case Ratio():
                return ("share",)
