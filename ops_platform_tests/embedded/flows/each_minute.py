"""A flow that should start each minute, in an account whose EventBridge never starts anything."""

# mypy: ignore-errors
# Metaflow gives a flow its attributes at run time.

from metaflow import FlowSpec, project, schedule, step


@schedule(cron="* * * * ? *")
@project(name="demo")
class EachMinuteFlow(FlowSpec):
    """Does nothing, and that on time."""

    @step
    def start(self) -> None:
        """Begin."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """End."""


if __name__ == "__main__":
    EachMinuteFlow()
