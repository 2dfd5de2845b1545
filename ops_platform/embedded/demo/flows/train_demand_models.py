"""A flow that fails: of twelve tasks two meet at a feed that serves one, and both fail.

The other ten have done nothing wrong. Step Functions aborts them: collateral.
"""

# Metaflow gives its names and its parameters at run time.
# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

import time
from pathlib import Path

from metaflow import FlowSpec, Parameter, project, step

SHOPS = 12
PATIENCE_SECONDS = 300
# Both have seen each other by then, so that they fail at the same time.
HANDSHAKE_SECONDS = 2


@project(name="demand")
class TrainDemandModels(FlowSpec):
    """Train a model of the demand of each shop."""

    feed = Parameter("feed", help="The folder in which readers of the price feed sign in.")

    @step
    def start(self) -> None:
        """Choose the shops."""
        self.shops = list(range(SHOPS))
        self.next(self.train, foreach="shops")

    @step
    def train(self) -> None:
        """Train one shop's model, for which the price feed is read."""
        self.read_price_feed()
        self.next(self.join)

    @step
    def join(self, inputs: list[FlowSpec]) -> None:
        """Put the models together."""
        self.trained = len(inputs)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say that it is done."""

    def read_price_feed(self) -> None:
        """Read the feed; the first two readers disturb each other, the others wait."""
        seats = [Path(self.feed) / name for name in ("first-reader", "second-reader")]
        seat = next((seat for seat in seats if took(seat)), None)
        deadline = time.time() + PATIENCE_SECONDS
        while seat is None or not all(other.exists() for other in seats):
            if time.time() > deadline:
                raise TimeoutError(f"shop {self.input}: the price feed did not answer")
            time.sleep(0.1)
        both_there = max(other.stat().st_mtime for other in seats)
        time.sleep(max(0.0, both_there + HANDSHAKE_SECONDS - time.time()))
        raise ConnectionError(f"shop {self.input}: the price feed serves one reader at a time")


def took(seat: Path) -> bool:
    """Take a seat; false if somebody sits there."""
    try:
        seat.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


if __name__ == "__main__":
    TrainDemandModels()
