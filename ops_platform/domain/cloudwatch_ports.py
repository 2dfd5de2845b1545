"""What the operations ask of CloudWatch, as small protocols."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ops_platform.domain.metric_data import Datum


class Took(StrEnum):
    """What became of data that CloudWatch was sent; sending the same twice counts it twice."""

    TAKEN = "taken"
    REFUSED = "refused: nothing of it was taken"
    UNCLEAR = "no answer: it may have been taken"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of data, and AWS's words if it was not taken."""

    took: Took
    error: str = ""


class MetricSink(Protocol):
    """Where custom metrics are sent."""

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Send data once, all or nothing; never raises for AWS."""
        ...

    def has(self, namespace: str, datum: Datum) -> bool:
        """Tell whether there is any sample of the datum's series in its hour.

        Raises:
            PlatformError: CloudWatch cannot be asked.
        """
        ...


class DashboardStore(Protocol):
    """Where dashboards are kept."""

    def dashboard(self, name: str) -> str | None:
        """Return a dashboard's JSON, None if there is none.

        Raises:
            PlatformError: CloudWatch cannot be asked.
        """
        ...

    def put_dashboard(self, name: str, body: str) -> list[str]:
        """Put a dashboard in place of what has its name; return what CloudWatch warns of.

        Raises:
            PlatformError: CloudWatch refuses it; the text says what is wrong with it.
        """
        ...
