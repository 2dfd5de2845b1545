"""Hours computed, and then the days that they complete."""

from datetime import date

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import DAY, HOUR, Hours, day_begins, of_day
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.operations.compute_metrics import compute_metrics
from ops_platform.operations.roll_up_metrics import Rolled

MONDAY = date(2026, 3, 2)
HOURS = of_day(MONDAY)


def _computed(ledger: Ledger, hours: Hours, *nouns: Noun) -> list[Rolled]:
    now = HOURS.end + DAY
    return compute_metrics(ledger, hours, nouns, prices=DEFAULT_PRICES, now=now)


def _days(done: list[Rolled]) -> list[tuple[Noun, date]]:
    return [(each.noun, each.began.date()) for each in done if each.grain == "day"]


def test_a_day_follows_its_hours(emptied_ledger: Ledger) -> None:
    """Of each noun."""
    done = _computed(emptied_ledger, HOURS, Noun.EXECUTIONS, Noun.PLATFORM)

    assert _days(done) == [(Noun.EXECUTIONS, MONDAY), (Noun.PLATFORM, MONDAY)]
    assert len(done) == 2 * 25


def test_the_last_hour_that_lacked_completes_the_day(emptied_ledger: Ledger) -> None:
    """Whoever computed the others, and whenever; only of the noun that has them all."""
    before = _computed(emptied_ledger, Hours(HOURS.begin, HOURS.end - HOUR), Noun.PLATFORM)

    done = _computed(emptied_ledger, Hours(HOURS.end - HOUR, HOURS.end), *Noun)

    assert _days(before) == []
    assert _days(done) == [(Noun.PLATFORM, MONDAY)]


def test_a_day_that_still_runs_is_not_put_together(emptied_ledger: Ledger) -> None:
    """Its last hour is partial."""
    now = HOURS.end - HOUR / 2

    done = compute_metrics(emptied_ledger, HOURS, [Noun.PLATFORM], prices=DEFAULT_PRICES, now=now)

    assert _days(done) == []
    assert [each.began for each in done if each.partial] == [day_begins(MONDAY) + 23 * HOUR]
