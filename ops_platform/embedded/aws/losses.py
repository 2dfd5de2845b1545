"""Events that are lost on purpose: Step Functions promises no more than its best effort.

Only tests ask for it, by an environment variable that `up` hands on to its accounts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "EMBEDDED_AWS_LOSES"
"""``SHARE:SEED``, such as ``0.2:7``: so many of the events are lost, the same for the same seed."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Which events are lost: a share of them, chosen by what they tell of."""

    share: float = 0.0
    seed: str = ""

    def take(self, name: str, status: str) -> bool:
        """Tell whether the event is lost that an execution of this name has this status."""
        digest = hashlib.sha256(f"{self.seed}/{name}/{status}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.share * 2**64


def losses_from(environ: Mapping[str, str]) -> Losses:
    """Return the losses that the environment asks for, by default none."""
    share, _, seed = environ.get(VARIABLE, "0").partition(":")
    return Losses(float(share), seed)
