"""Which price of the table an attempt has."""

from itertools import permutations

import pytest

from ops_platform.domain.prices import DEFAULT_PRICES, Price, price_for

TABLE = tuple(Price(pattern, 1, 1) for pattern in ("*", "r5.*", "r*", "r5.large", "r5.xl*"))


@pytest.mark.parametrize(
    ("instance_type", "pattern"),
    [
        ("r5.large", "r5.large"),
        ("r5.xlarge", "r5.xl*"),
        ("r5.24xlarge", "r5.*"),
        ("r6i.large", "r*"),
        ("c5.large", "*"),
        (None, "*"),
        ("", "*"),
    ],
)
def test_the_closest_pattern_counts(instance_type: str | None, pattern: str) -> None:
    """The very type, else its longest beginning, in whatever order the table has them."""
    found = {price_for(table, instance_type).instance_type for table in permutations(TABLE)}

    assert found == {pattern}


def test_what_no_price_is_for_has_the_default() -> None:
    """So that nothing is free by an oversight."""
    assert price_for((Price("g5.*", 1, 1),), "c5.large") == DEFAULT_PRICES[0]
