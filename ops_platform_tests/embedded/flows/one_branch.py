"""A split: one branch fails, one has succeeded before, and a slower one is terminated."""

# mypy: ignore-errors
# Metaflow turns parameters into their values, and gives a flow its attributes, at run time.

from pathlib import Path

from conduct import FAILS, SUCCEEDS, WAITS, Cast, act
from metaflow import FlowSpec, Parameter, step

CAST = Cast(failing=1, succeeding=1)


class OneBranch(FlowSpec):
    """Splits, and joins if it is fixed."""

    truth = Parameter("truth", help="The folder in which the tasks write down how it really was.")
    fixed = Parameter("fixed", default=False)

    @step
    def start(self) -> None:
        """Split."""
        self.next(self.quick, self.broken, self.slow)

    @step
    def quick(self) -> None:
        """Succeed before the others end."""
        act(SUCCEEDS, Path(self.truth), "quick", CAST)
        self.next(self.join)

    @step
    def broken(self) -> None:
        """Fail."""
        act(SUCCEEDS if self.fixed else FAILS, Path(self.truth), "broken", CAST)
        self.next(self.join)

    @step
    def slow(self) -> None:
        """Be at work while the other branch fails."""
        act(SUCCEEDS if self.fixed else WAITS, Path(self.truth), "slow", CAST)
        self.next(self.join)

    @step
    def join(self, inputs: list["OneBranch"]) -> None:
        """Bring the branches together."""
        self.branches = len(list(inputs))
        self.next(self.end)

    @step
    def end(self) -> None:
        """Be done."""


if __name__ == "__main__":
    OneBranch()
