"""Numbers as people read them."""

import pytest

from ops_platform.domain.amounts import amount
from ops_platform.domain.metric import Unit


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, Unit.USD, "-"),
        (0, Unit.COUNT, "0"),
        (1234, Unit.COUNT, "1,234"),
        (123_456, Unit.COUNT, "123.5k"),
        (12_000_000, Unit.COUNT, "12M"),
        (750, Unit.MILLISECONDS, "750 ms"),
        (1500, Unit.MILLISECONDS, "1.5 s"),
        (5_400_000, Unit.MILLISECONDS, "1.5 h"),
        (86_400_000 * 40, Unit.MILLISECONDS, "40 d"),
        (0.0021, Unit.USD, "$0.0021"),
        (0, Unit.USD, "$0.00"),
        (1234.5, Unit.USD, "$1,234.50"),
        (0.934, Unit.SHARE, "93.4 %"),
        (1, Unit.SHARE, "100 %"),
        (4096, Unit.MIB, "4 GiB"),
        (2.25, Unit.VCPU_HOURS, "2.25 vCPU h"),
    ],
)
def test_a_number_is_shown_with_its_unit_and_the_digits_that_matter(
    value: float | None, unit: Unit, shown: str
) -> None:
    """None is no zero."""
    assert amount(value, unit) == shown


@pytest.mark.parametrize("unit", list(Unit))
def test_every_unit_can_be_shown(unit: Unit) -> None:
    """Also one that is added."""
    assert "2" in amount(2048, unit)
