"""A flow that no machine of its queue can run."""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

from metaflow import FlowSpec, batch, step


class AsksTooMuch(FlowSpec):
    """One step, of more vCPUs than there are."""

    @batch(cpu=999, memory=4096, queue="stuck")
    @step
    def start(self) -> None:
        """Never begin."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """Never end."""


if __name__ == "__main__":
    AsksTooMuch()
