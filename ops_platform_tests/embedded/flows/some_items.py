"""A foreach: two items fail, one a little later; one succeeds; the others are cut off."""

# mypy: ignore-errors
# Metaflow turns parameters into their values, and gives a flow its attributes, at run time.

from pathlib import Path

from conduct import FAILS, FAILS_LATER, SUCCEEDS, WAITS, Cast, act
from metaflow import FlowSpec, Parameter, project, step

BROKEN = (FAILS, FAILS_LATER, SUCCEEDS, WAITS, WAITS)
FIXED = (SUCCEEDS,)
CAST = Cast(failing=2, succeeding=1)


@project(name="proof")
class SomeItems(FlowSpec):
    """Fans out, and joins if it is fixed."""

    truth = Parameter("truth", help="The folder in which the tasks write down how it really was.")
    fixed = Parameter("fixed", default=False)

    @step
    def start(self) -> None:
        """Choose the items."""
        self.items = FIXED if self.fixed else BROKEN
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        """Behave as the item says."""
        act(self.input, Path(self.truth), "work", CAST)
        self.next(self.join)

    @step
    def join(self, inputs: list["SomeItems"]) -> None:
        """Bring the items together."""
        self.items_done = len(list(inputs))
        self.next(self.end)

    @step
    def end(self) -> None:
        """Be done."""


if __name__ == "__main__":
    SomeItems()
