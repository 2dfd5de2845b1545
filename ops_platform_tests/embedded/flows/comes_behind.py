"""A flow that asks for little, in a queue that another one may block."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

from metaflow import FlowSpec, batch, step


class ComesBehind(FlowSpec):
    """One step, which runs when its turn has come."""

    @batch(cpu=1, memory=1024, queue="stuck")
    @step
    def start(self) -> None:
        """Do nothing."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """Be done."""


if __name__ == "__main__":
    ComesBehind()
