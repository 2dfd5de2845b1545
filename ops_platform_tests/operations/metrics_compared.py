"""Rollups beside the recount: what differs, if anything does."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.hours import Hours
from ops_platform.domain.rollups import METRICS
from ops_platform.operations.show_metrics import show_metric
from ops_platform_tests.recount import WAYS, Recount, Row

Place = tuple[Any, ...]
By = Callable[[str], Sequence[str]]


def every_dimension(name: str) -> Sequence[str]:
    """Return all dimensions of a metric."""
    return METRICS[name].dimensions


def assert_same(
    ledger: Ledger,
    truth: Recount,
    hours: Hours,
    *,
    by: By = every_dimension,
    names: Iterable[str] = tuple(WAYS),
    daily: bool = False,
) -> None:
    """Compare metrics with the recount, group by group, in every hour or day of a period.

    Where nothing was, an hour need not have been computed; one that was tells of each group.
    """
    for name in names:
        period: dict[str, Any] = {"begin": hours.begin, "end": hours.end, "daily": daily}
        shown = show_metric(ledger, name, by=by(name), **period)
        counted = truth.rows(name, by=by(name), **period)
        fields = METRICS[name].fields
        computed = {row["day" if daily else "hour"] for row in show_metric(ledger, name, **period)}
        known = {"account", *(closed for closed, _ in METRICS[name].closed)}
        expected = _by_place(counted, fields)
        if not known.issuperset(by(name)):
            expected = _without_nothings(expected)
        _assert_equal(name, _by_place(shown, fields), expected, computed)


def _without_nothings(counted: Mapping[Place, Row]) -> dict[Place, Row]:
    """Leave out the groups that have nothing but zeros in the whole period: nobody knows them."""
    something = {place[1:] for place, row in counted.items() if any(row.values())}
    return {place: row for place, row in counted.items() if place[1:] in something}


def _assert_equal(
    name: str, shown: Mapping[Place, Row], counted: Mapping[Place, Row], computed: Collection[Any]
) -> None:
    for place, row in counted.items():
        needed = place[0] in computed or any(row.values())
        assert place in shown or not needed, f"{name}: no row of {place}, but counted was {row}"
    for place, row in shown.items():
        wanted = counted.get(place)
        if wanted is None:  # of an account that has nothing of it, or a value that all know
            assert not any(row.values()), f"{name} of {place}: {row}, but nothing was counted"
        else:
            near = all(_near(number, wanted[key]) for key, number in row.items())
            assert near, f"{name} of {place}: {row}, but counted was {wanted}"


def _near(shown: float | None, counted: float | None) -> bool:
    """Compare; sums of floats differ in their last digits by the order of adding."""
    if shown is None or counted is None:
        return shown is counted
    return math.isclose(shown, counted, rel_tol=1e-9, abs_tol=1e-9)


def _by_place(rows: Iterable[Row], fields: Sequence[str]) -> dict[Place, Row]:
    found = {}
    for row in rows:
        place = tuple(value for key, value in row.items() if key not in fields)
        assert place not in found, f"{place} is told twice"
        found[place] = {key: row[key] for key in fields}
    return found
