"""A flow that asks for little, and waits behind one that asks for too much."""

# Metaflow gives its names and its parameters at run time.
# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call,untyped-decorator"

from metaflow import FlowSpec, batch, project, step


@project(name="city")
class SurveyStreets(FlowSpec):
    """Survey the streets of a city, in the queue in which another flow simulates it."""

    @batch(cpu=1, memory=1024, queue="stuck")
    @step
    def start(self) -> None:
        """Survey, once the job in front is out of the way."""
        self.streets = ["Broad Street", "Narrow Street"]
        self.next(self.end)

    @step
    def end(self) -> None:
        """Show the streets."""
        print(f"Surveyed: {self.streets}")


if __name__ == "__main__":
    SurveyStreets()
