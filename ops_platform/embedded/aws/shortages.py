"""Instance types that EC2 has none of, or that never come up, on purpose.

Tests ask for it, by environment variables that `up` hands on to its accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LACKS_VARIABLE = "EMBEDDED_AWS_LACKS"
"""Instance types such as ``m5.large m5.xlarge``: EC2 refuses to start one of them."""

MUTE_VARIABLE = "EMBEDDED_AWS_MUTE"
"""Instance types that start and never register, as without a route to the endpoint of ECS."""


@dataclass(frozen=True, slots=True)
class Shortages:
    """Which instance types are not to be had."""

    lacking: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()

    def lacks(self, name: str) -> bool:
        """Tell whether EC2 has none of this type."""
        return name in self.lacking

    def registers(self, name: str) -> bool:
        """Tell whether an instance of this type comes up whole."""
        return name not in self.mute


def shortages_from(environ: Mapping[str, str]) -> Shortages:
    """Return the shortages that the environment asks for, by default none."""
    lacking, mute = (environ.get(name, "").split() for name in (LACKS_VARIABLE, MUTE_VARIABLE))
    return Shortages(frozenset(lacking), frozenset(mute))
