"""A flow that never starts: no machine has the 999 vCPUs it asks for."""

# Metaflow gives its names and its parameters at run time.
# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

from metaflow import FlowSpec, batch, project, step


@project(name="city")
class SimulateCity(FlowSpec):
    """Simulate a city, all of it at once."""

    @batch(cpu=999, memory=4096, queue="stuck")
    @step
    def start(self) -> None:
        """Simulate; nobody will see this."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say that it is done."""


if __name__ == "__main__":
    SimulateCity()
