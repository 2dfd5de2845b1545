"""Real flows, linted and compiled by the real Metaflow against the stand-in."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ops_platform.domain.compiled_flow import Compiled
from ops_platform.domain.flow_findings import findings_of
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.provenance import provenance
from ops_platform.domain.software import software_of

FLOW = """
from metaflow import FlowSpec, Parameter, {imports}
{decorators}
class Forecast(FlowSpec):
    {body}
    @step
    def start(self):
        self.next(self.end)
    @resources(cpu=2, memory=5000)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Forecast()
"""
IMPORTS = "exit_hook, project, resources, schedule, step, trigger"


def _flow(decorators: str = "", body: str = "") -> str:
    return FLOW.format(imports=IMPORTS, decorators=decorators, body=body)


def compiled_in(folder: Path, text: str, **request: object) -> Compiled:
    """Return what became of a flow."""
    (folder / "flow.py").write_text(text)
    asked = {
        "python": sys.executable,
        "flow": "flow.py",
        "options": [],
        "production": True,
        "create": [],
        "queues": {"metaflow": "EC2"},
        "settings": {},
        "seconds": 60,
        **request,
    }
    command = [sys.executable, "-I", "-m", "ops_platform.sandboxed.compile_flow", json.dumps(asked)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=True, timeout=100
    )
    return msgspec.json.decode(done.stdout, type=Compiled)


def reasons_of(compiled: Compiled) -> dict[str, str]:
    """Return why checks did not pass, by their names."""
    found = findings_of(compiled, seconds=60)
    return {each.name: each.reason for each in found if not each.passed}


def test_a_flow_is_compiled_without_any_account(tmp_path: Path) -> None:
    """Machine, definition and schedule, as production would get them."""
    text = _flow("@project(name='shop')\n@schedule(daily=True)")
    compiled = compiled_in(tmp_path, text, create=["--tag", "commit:abc"])
    assert reasons_of(compiled) == {}
    assert compiled.machine == "shop.prod.Forecast"
    assert compiled.rule is not None
    assert (compiled.rule.name, compiled.rule.expression) == (
        "shop.prod.Forecast",
        "cron(0 0 * * ? *)",
    )
    definition = read_machine(compiled.definition or "")
    assert [step.sizes for step in definition.steps] == [(1, 4096, 0), (2, 5000, 0)]
    assert "--tag commit:abc" in definition.start.command
    assert provenance(definition).flow == "Forecast"


def test_a_flow_without_a_project_is_compiled_too(tmp_path: Path) -> None:
    """Metaflow knows no --production for it."""
    compiled = compiled_in(tmp_path, _flow())
    assert reasons_of(compiled) == {}
    assert (compiled.machine, compiled.rule) == ("Forecast", None)


@pytest.mark.parametrize(
    ("decorators", "body", "reason"),
    [
        ("@trigger(event='x')", "", "trigger"),
        ("@schedule(daily=True, timezone='Europe/Berlin')", "", "timezone"),
        ("@schedule(daily=True)", "a = Parameter('a', required=True)", "required-parameter"),
    ],
)
def test_what_step_functions_cannot_run_is_found(
    tmp_path: Path, decorators: str, body: str, reason: str
) -> None:
    """Each by its own reason, before anybody deploys it."""
    compiled = compiled_in(tmp_path, _flow(decorators, body))
    assert reasons_of(compiled) == {"compiles": reason}


def test_a_flow_that_never_loads_is_ended(tmp_path: Path) -> None:
    """Within the time that it has."""
    compiled = compiled_in(tmp_path, "import time\ntime.sleep(60)\n", seconds=1)
    assert reasons_of(compiled) == {"loads": "timed-out"}


def test_a_flow_that_prints_without_end_is_cut(tmp_path: Path) -> None:
    """The beginning and the end are kept."""
    text = "print('first')\nprint('x' * 5_000_000)\nprint('last')\n"
    printed = compiled_in(tmp_path, text).lint.text
    assert len(printed) < 200_000
    assert printed.startswith("first")
    assert printed.endswith("last\n")


def test_a_flow_finds_nothing_of_ours(tmp_path: Path) -> None:
    """Its AWS is the stand-in, which knows no other call."""
    text = (
        "import boto3, os\n"
        "print(sorted(k for k in os.environ if 'AWS' in k))\n"
        "try:\n    boto3.client('sts').get_caller_identity()\n"
        "except Exception as error:\n    print('refused', error)\n"
    )
    printed = compiled_in(tmp_path, text).lint.text
    assert "refused" in printed
    assert "Not in a sandbox." in printed


PACKAGED = """
from metaflow import FlowSpec, conda, pypi, step
class Forecast(FlowSpec):
    {decorator}
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Forecast()
"""


@pytest.mark.parametrize(
    "decorator",
    [
        '@pypi(packages={"pandas": "2.2.0"}, python="3.11.7")',
        '@conda(libraries={"pandas": "2.2.0"})',
    ],
)
def test_packages_are_named_without_being_resolved(tmp_path: Path, decorator: str) -> None:
    """A sandbox has no network; the name is of what is asked for, the same each time."""
    compiled = compiled_in(tmp_path, PACKAGED.format(decorator=decorator))
    assert compiled.environment == "conda"
    assert compiled.definition is not None
    told = software_of(read_machine(compiled.definition))
    assert (told.kind, set(told.environments)) == ("conda", {"start", "end"})
    again = compiled_in(tmp_path, PACKAGED.format(decorator=decorator))
    assert again.definition is not None
    assert software_of(read_machine(again.definition)) == told
    other = compiled_in(tmp_path, PACKAGED.format(decorator=decorator.replace("2.2.0", "2.2.1")))
    assert other.definition is not None
    changed = software_of(read_machine(other.definition)).environments
    assert changed["start"] != told.environments["start"]
    assert changed["end"] == told.environments["end"]


def test_without_packages_no_environment_is_named(tmp_path: Path) -> None:
    """Nor is the flow compiled a second time."""
    assert compiled_in(tmp_path, _flow()).environment is None
