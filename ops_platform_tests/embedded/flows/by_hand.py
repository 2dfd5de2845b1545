"""A flow that somebody runs from a shell with ``run --with batch``, and whose task fails."""

# mypy: ignore-errors
# Metaflow turns parameters into their values, and gives a flow its attributes, at run time.

from pathlib import Path

from conduct import FAILS, Cast, act
from metaflow import FlowSpec, Parameter, step

CAST = Cast(failing=1, succeeding=0)


class ByHand(FlowSpec):
    """Fails in its first step."""

    truth = Parameter("truth", help="The folder in which the tasks write down how it really was.")

    @step
    def start(self) -> None:
        """Fail."""
        act(FAILS, Path(self.truth), "start", CAST)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Never come here."""


if __name__ == "__main__":
    ByHand()
