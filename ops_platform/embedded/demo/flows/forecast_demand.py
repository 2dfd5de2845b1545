"""A flow that succeeds: a forecast for each region, joined into one."""

# Metaflow gives its names and its parameters at run time.
# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

from metaflow import FlowSpec, project, step

REGIONS = ("north", "south", "west")


@project(name="demand")
class ForecastDemand(FlowSpec):
    """Forecast tomorrow's demand of every region."""

    @step
    def start(self) -> None:
        """Choose the regions."""
        self.regions = list(REGIONS)
        self.next(self.forecast, foreach="regions")

    @step
    def forecast(self) -> None:
        """Forecast one region."""
        self.demand = {self.input: 100 * len(self.input)}
        self.next(self.join)

    @step
    def join(self, inputs: list[FlowSpec]) -> None:
        """Put the regions together."""
        self.demand = {region: units for one in inputs for region, units in one.demand.items()}
        self.next(self.end)

    @step
    def end(self) -> None:
        """Show the forecast."""
        print(f"Tomorrow's demand: {self.demand}")


if __name__ == "__main__":
    ForecastDemand()
