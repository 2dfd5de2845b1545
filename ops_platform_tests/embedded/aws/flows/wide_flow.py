"""A foreach in which, if asked, the first two tasks fail together while the others go on."""

# mypy: ignore-errors
# Metaflow turns parameters into their values, and gives a flow its attributes, at run time.

import os
import time
from pathlib import Path

from metaflow import FlowSpec, Parameter, project, retry, step


@project(name="demo")
class WideFlow(FlowSpec):
    """Fans out, and joins or fails."""

    width = Parameter("width", default=2)
    failing = Parameter("failing", default=0)

    @step
    def start(self) -> None:
        """Choose the items."""
        self.items = list(range(self.width))
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        """Fail with the other ones that are to fail, or go on for long."""
        if self.failing:
            if _take_one_of(self.failing):
                raise ValueError(f"item {self.input} is broken")
            time.sleep(90)
        self.doubled = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs: list["WideFlow"]) -> None:
        """Add up."""
        self.total = sum(each.doubled for each in inputs)
        self.next(self.end)

    @retry(times=1, minutes_between_retries=0)
    @step
    def end(self) -> None:
        """Succeed at the second attempt."""
        if os.environ["AWS_BATCH_JOB_ATTEMPT"] == "1":
            raise ValueError("the first attempt fails")
        print(f"the total is {self.total}")


def _take_one_of(places: int) -> bool:
    """Tell whether this task came among the first; those wait until all of them are there."""
    run = f"places-{os.environ['METAFLOW_RUN_ID']}"
    folder = Path(os.environ["METAFLOW_DATASTORE_SYSROOT_LOCAL"]) / run
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(places):
        try:
            (folder / str(place)).touch(exist_ok=False)
        except FileExistsError:
            continue
        while len(list(folder.iterdir())) < places:
            time.sleep(0.1)
        return True
    return False


if __name__ == "__main__":
    WideFlow()
