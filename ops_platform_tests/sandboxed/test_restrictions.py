"""Real flows for each thing that Step Functions cannot run, refused by the real Metaflow."""

from pathlib import Path

import pytest

from ops_platform.domain.flow_findings import RESTRICTIONS
from ops_platform_tests.sandboxed.test_compile_flow import compiled_in, reasons_of

HEAD = """
from metaflow import (
    FlowSpec, IncludeFile, Parameter, current, exit_hook, kubernetes, parallel, project, schedule,
    step, trigger, trigger_on_finish,
)
def hook():
    pass
"""
PLAIN = """
{decorators}
class Forecast(FlowSpec):
    {body}
    @step
    def start(self):
        self.next(self.end)
    {of_end}
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Forecast()
"""
FOREACH = """
class Forecast(FlowSpec):
    @step
    def start(self):
        self.parts = [1, 2]
        self.next(self.part, foreach="parts")
    @step
    def part(self):
        self.next(self.join)
    @step
    def join(self, inputs):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Forecast()
"""
PARALLEL = FOREACH.replace(
    'self.next(self.part, foreach="parts")', "self.next(self.part, num_parallel=2)"
).replace("    @step\n    def part", "    @parallel\n    @step\n    def part")
SWITCH = """
class Forecast(FlowSpec):
    @step
    def start(self):
        self.way = "left"
        self.next({"left": self.left, "right": self.right}, condition="way")
    @step
    def left(self):
        self.next(self.end)
    @step
    def right(self):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Forecast()
"""


def _plain(decorators: str = "", body: str = "", of_end: str = "") -> str:
    return PLAIN.format(decorators=decorators, body=body, of_end=of_end)


CASES: dict[str, tuple[str, dict[str, object]]] = {
    "trigger": (_plain("@trigger(event='x')"), {}),
    "trigger on finish": (_plain("@trigger_on_finish(flow='Other')"), {}),
    "exit-hook": (_plain("@exit_hook(on_error=[hook])"), {}),
    "parallel": (PARALLEL, {}),
    "switch": (SWITCH, {}),
    "timezone": (_plain("@schedule(daily=True, timezone='Europe/Berlin')"), {}),
    "foreach-table": (FOREACH, {"settings": {"METAFLOW_SFN_DYNAMO_DB_TABLE": ""}}),
    "required-parameter": (
        _plain("@schedule(daily=True)", "a = Parameter('a', required=True)"),
        {},
    ),
    "parameter-twice": (
        _plain(body="a = Parameter('a', default=1); A = Parameter('A', default=1)"),
        {},
    ),
    "datastore": (_plain(), {"settings": {"METAFLOW_DEFAULT_DATASTORE": "local"}}),
    "kubernetes": (_plain(of_end="@kubernetes"), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_what_step_functions_cannot_run_has_a_reason_of_its_own(tmp_path: Path, name: str) -> None:
    """With what to do about it."""
    text, asked = CASES[name]
    reason = "trigger" if name == "trigger on finish" else name
    found = reasons_of(compiled_in(tmp_path, HEAD + text, **asked))
    assert found == {"compiles": reason}


def test_every_reason_has_a_real_flow() -> None:
    """But for what no flow can be written for here."""
    without = {
        "name-of-project",  # --name goes before `create`, where we give none
        "slurm",  # an extension of Metaflow's, which is not installed
        "node-type",  # a kind of step that Metaflow has by now none of
    }
    assert {each.reason for each in RESTRICTIONS} - without <= set(CASES)
