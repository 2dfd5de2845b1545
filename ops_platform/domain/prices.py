"""What reserved vCPUs and memory are worth: an estimate by a price table."""

from collections.abc import Iterable
from dataclasses import dataclass

# The pattern of what no other pattern is for.
OTHERS = "*"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for an hour of one vCPU and of one GiB, on instance types that match.

    ``instance_type`` is one type, or its beginning with ``*`` at the end, such as ``r5.*``; an
    attempt of unknown type, as on Fargate, matches ``*`` alone.
    """

    instance_type: str
    vcpu_hour: float
    gib_hour: float

    def is_for(self, instance_type: str | None) -> bool:
        """Tell whether the price is for an instance type, None for an unknown one."""
        if self.instance_type == OTHERS:
            return True
        if self.instance_type.endswith("*"):
            return (instance_type or "").startswith(self.instance_type.removesuffix("*"))
        return instance_type == self.instance_type


# Fargate's on-demand prices for Linux on x86 in us-east-1, as AWS listed them in 2026: the one
# price list of AWS's that has a price for each; what a team pays for its instances differs.
DEFAULT_PRICES = (Price(OTHERS, vcpu_hour=0.04048, gib_hour=0.004445),)


def price_for(prices: Iterable[Price], instance_type: str | None) -> Price:
    """Return the price for an instance type: its own, else that of its longest beginning.

    What no price of the table is for has the default one.
    """
    fitting = [price for price in prices if price.is_for(instance_type)]
    return max(fitting, key=_closeness, default=DEFAULT_PRICES[0])


def _closeness(price: Price) -> tuple[bool, int]:
    return not price.instance_type.endswith("*"), len(price.instance_type)
