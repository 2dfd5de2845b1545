"""How long ``soteria check`` takes, beside Metaflow's own check of the same flow."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.results import Result

_PAIRS = 7
_STEPS = 8
_HEAD = """from metaflow import FlowSpec, Parameter, project, resources, schedule, step


@project(name="bench")
@schedule(daily=True)
class TenSteps(FlowSpec):
    alpha = Parameter("alpha", default=0.5)

    @step
    def start(self):
        self.next(self.step_0)
"""
_STEP = """
    @resources(cpu=2, memory=5000)
    @step
    def step_{at}(self):
        self.x_{at} = self.alpha * {at}
        self.next(self.{after})
"""
_TAIL = """
    @step
    def end(self):
        print(self.x_0)


if __name__ == "__main__":
    TenSteps()
"""


def check_of_ten_steps() -> Iterator[Result]:
    """Check a flow of ten steps both ways in turn; the median of the pairs counts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "flow.py").write_text(_flow())
        theirs = [sys.executable, "flow.py", "check"]
        ours = [str(Path(sys.executable).with_name("soteria")), "check", "flow.py"]
        pairs = [(_seconds(ours, folder), _seconds(theirs, folder)) for _ in range(_PAIRS)]
    whole, own = (statistics.median(column) for column in zip(*pairs, strict=True))
    beyond = statistics.median((mine - other) / other for mine, other in pairs)
    yield Result(
        name="soteria check of ten steps, beyond Metaflow's own check of them",
        measured=f"{whole - own:.2f} s, {beyond:.2f} times {own:.2f} s",
        target="≤ 2 times",
        met=beyond <= 2,
    )


def _flow() -> str:
    after = [*(f"step_{at}" for at in range(1, _STEPS)), "end"]
    steps = (_STEP.format(at=at, after=name) for at, name in enumerate(after))
    return f"{_HEAD}{''.join(steps)}{_TAIL}"


def _seconds(command: Sequence[str], folder: str) -> float:
    environment = {**os.environ, "METAFLOW_USER": "bench", "HOME": folder}
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120
    )
    return time.perf_counter() - started
