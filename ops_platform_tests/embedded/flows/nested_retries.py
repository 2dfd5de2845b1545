"""A foreach in a foreach with @retry: two tasks fail both attempts, one succeeds at the second."""

# mypy: ignore-errors
# Metaflow turns parameters into their values, and gives a flow its attributes, at run time.

from pathlib import Path

from conduct import FAILS, SECOND_TRY, WAITS, Cast, act
from metaflow import FlowSpec, Parameter, retry, step

BROKEN = ((FAILS, SECOND_TRY), (FAILS, WAITS))
FIXED = ((SECOND_TRY,),)
CAST = Cast(failing=2, succeeding=1, attempts=2)


class NestedRetries(FlowSpec):
    """Fans out twice, and joins twice if it is fixed."""

    truth = Parameter("truth", help="The folder in which the tasks write down how it really was.")
    fixed = Parameter("fixed", default=False)

    @step
    def start(self) -> None:
        """Choose the groups."""
        self.groups = FIXED if self.fixed else BROKEN
        self.next(self.group, foreach="groups")

    @step
    def group(self) -> None:
        """Choose the items of a group."""
        self.items = self.input
        self.next(self.item, foreach="items")

    @retry(times=1, minutes_between_retries=0)
    @step
    def item(self) -> None:
        """Behave as the item says."""
        act(self.input, Path(self.truth), "item", CAST)
        self.next(self.join_items)

    @step
    def join_items(self, inputs: list["NestedRetries"]) -> None:
        """Bring the items of a group together."""
        self.done = len(list(inputs))
        self.next(self.join_groups)

    @step
    def join_groups(self, inputs: list["NestedRetries"]) -> None:
        """Bring the groups together."""
        self.done = sum(each.done for each in inputs)
        self.next(self.end)

    @step
    def end(self) -> None:
        """Be done."""


if __name__ == "__main__":
    NestedRetries()
