"""Check rollups against what they were made of, and each other; one entry for each check."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import metric_checks
from ops_platform.adapters.ledger.database import Ledger, Transaction
from ops_platform.adapters.ledger.queries import Row
from ops_platform.domain.job_rollups import JOB_STATES
from ops_platform.domain.metric import Noun
from ops_platform.domain.rollups import EXECUTION_ENDS
from ops_platform.domain.words import counted

# Of more hours than these, the newest are checked.
MOST_HOURS = 31 * 24
_SHOWN, _TOLD = 20, 3
# Which metric counts what ended, in which states, and which keeps how long it had taken.
_ENDS = {
    Noun.JOBS: (("job_transitions", JOB_STATES[-2:]), "job_ms"),
    Noun.EXECUTIONS: (("executions", EXECUTION_ENDS), "execution_ms"),
    Noun.INSTANCES: (("instances_deregistered", ()), "instance_lifetime_ms"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is checked: hours of a noun; what should have been computed ``late`` is behind."""

    noun: Noun
    hours: Sequence[datetime]
    now: datetime
    late: datetime


@dataclass(frozen=True, slots=True)
class MetricCheck:
    """A check: of which nouns, what it asks, and how to find sentences that say what is wrong."""

    name: str
    nouns: Collection[Noun]
    asks: str
    wrong: Callable[[Transaction, Asked], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a noun's rollups came to: some of what is wrong, and how much it is."""

    check: MetricCheck
    noun: Noun
    hours: int
    wrong: tuple[str, ...]
    found: int

    @property
    def sentence(self) -> str:
        """What came of it."""
        if not self.found:
            return f"All is well, in {counted(self.hours, 'hour', 'hours')} checked."
        told = self.wrong[:_TOLD]
        more = f" And {self.found - len(told):,} more." if self.found > len(told) else ""
        return f"{' '.join(told)}{more}"


def check_metrics(
    ledger: Ledger,
    noun: Noun,
    hours: Iterable[datetime],
    *,
    names: Collection[str] | None = None,
    now: datetime,
    interval: timedelta,
) -> list[Checked]:
    """Check hours of a noun; each check sees the ledger as it is at one moment."""
    newest = sorted(set(hours))[-MOST_HOURS:]
    asked = Asked(noun, newest, now, late=now - 2 * interval)
    wanted = [each for each in checks_of(noun) if names is None or each.name in names]
    return [_checked(ledger, each, asked) for each in wanted]


def checks_of(noun: Noun) -> list[MetricCheck]:
    """Return the checks that a noun has."""
    return [check for check in CHECKS if noun in check.nouns]


def _checked(ledger: Ledger, check: MetricCheck, asked: Asked) -> Checked:
    with ledger.transaction() as tx:
        wrong = list(check.wrong(tx, asked))
    return Checked(check, asked.noun, len(asked.hours), tuple(wrong[:_SHOWN]), len(wrong))


def _recount(tx: Transaction, asked: Asked) -> Iterable[str]:
    for row in _of_hours(metric_checks.miscounted, tx, asked):
        yield (
            f"{_at(row)} {row['account']}: {row['rolled']:,} came to {row['what']} by the rollup,"
            f" {row['told']:,} by the events."
        )


def _durations(tx: Transaction, asked: Asked) -> Iterable[str]:
    for row in _of_hours(metric_checks.negative, tx, asked):
        yield f"{_at(row)} {row['metric']} has a duration below zero: {row['least']:,.0f} ms."
    if not asked.hours or asked.noun not in _ENDS:
        return
    ends, durations = _ENDS[asked.noun]
    for row in metric_checks.incomplete(
        tx, asked.noun, asked.hours, ends=ends, durations=durations
    ):
        yield (
            f"{_at(row)} {row['account']}: {row['ended']:,} ended, but {durations} has"
            f" {row['timed']:,} durations."
        )


def _levels(tx: Transaction, asked: Asked) -> Iterable[str]:
    for row in _of_hours(metric_checks.gaps, tx, asked):
        of = ", ".join(f"{name} {value}" for name, value in sorted(row["dimensions"].items()))
        yield (
            f"{_at(row)} {row['metric']} of {of or 'all'} begins at {row['opening']:g}, though the"
            f" hour before ended at {row['last']:g}."
        )


def _behind(tx: Transaction, asked: Asked) -> Iterable[str]:
    for row in metric_checks.behind(tx, asked.noun, now=asked.now, late=asked.late):
        yield f"{row['began']:%Y-%m-%d %H:%M} is behind: {row['why']}."


def _of_hours(
    query: Callable[[Transaction, Noun, Sequence[datetime]], list[Row]],
    tx: Transaction,
    asked: Asked,
) -> list[Row]:
    return query(tx, asked.noun, asked.hours) if asked.hours else []


def _at(row: Row) -> str:
    return f"{row['hour']:%Y-%m-%d %H:00}"


CHECKS = (
    MetricCheck(
        "transitions_recounted",
        (Noun.JOBS, Noun.EXECUTIONS),
        "Are as many transitions counted as the raw events tell, each once?",
        _recount,
    ),
    MetricCheck(
        "durations_complete",
        tuple(Noun),
        "Is no duration below zero, and is there one of each that ended?",
        _durations,
    ),
    MetricCheck(
        "levels_continuous",
        (Noun.JOBS, Noun.EXECUTIONS, Noun.INSTANCES),
        "Does each level open at what it was when the hour before ended?",
        _levels,
    ),
    MetricCheck(
        "nothing_left_behind",
        tuple(Noun),
        "Is every hour computed that is over, and every one that was marked since, and each day?",
        _behind,
    ),
)
