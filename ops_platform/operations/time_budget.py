"""How long work may take that goes on another time where it stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


class TimeIsUpError(Exception):
    """The rest has to wait for the next time."""


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """Time that is spent until a deadline; None stands for as much as it takes."""

    clock: Callable[[], datetime]
    deadline: datetime | None = None

    def check(self) -> None:
        """Raise `TimeIsUpError` once the deadline has come."""
        if self.deadline is not None and self.clock() >= self.deadline:
            raise TimeIsUpError
