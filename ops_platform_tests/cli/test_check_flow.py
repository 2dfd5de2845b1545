"""``soteria check`` as a data scientist and CI use it: its words, its JSON, its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FLOW = """
from metaflow import FlowSpec, resources, step
class Tiny(FlowSpec):
    @resources(memory={memory})
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        {end}
if __name__ == "__main__":
    Tiny()
"""
SETTINGS = """
[[accounts]]
name = "production"
aws_account_id = "222222222222"
region = "us-east-1"
event_queue_url = "https://sqs.us-east-1.amazonaws.com/222222222222/events"
alerts = "observe"
"""
KEYS = {"name", "passed", "severity", "message", "file", "line", "fix"}


def _soteria(
    folder: Path, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("soteria")
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _write(folder: Path, memory: int = 4096, end: str = "pass") -> str:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "tiny.py").write_text(FLOW.format(memory=memory, end=end))
    return "flows/tiny.py"


def _checked(folder: Path, flow: str, **environment: str) -> tuple[int, dict[str, Any]]:
    done = _soteria(folder, "check", flow, "--json", **environment)
    document = json.loads(done.stdout)
    assert set(document) == {"flow", "passed", "checks"}
    assert all(set(each) >= KEYS for each in document["checks"])
    assert document["passed"] is (done.returncode == 0)
    return done.returncode, document


def _failing(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in document["checks"] if not each["passed"]]


def test_a_flow_that_is_fit_passes(tmp_path: Path) -> None:
    """Against the queues of the embedded edition, without anything running."""
    code, document = _checked(tmp_path, _write(tmp_path))
    assert (code, document["flow"], _failing(document)) == (0, "Tiny", [])
    names = [each["name"] for each in document["checks"]]
    assert names == ["loads", "lint", "pylint", "compiles", "names", "can-start"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["flows"]
    assert [each.name for each in (tmp_path / "flows").iterdir()] == ["tiny.py"]


def test_what_is_wrong_ends_it_with_1(tmp_path: Path) -> None:
    """With file and line where there are some."""
    code, document = _checked(tmp_path, _write(tmp_path, end="nothing()"))
    assert code == 1
    (wrong,) = _failing(document)
    assert (wrong["name"], wrong["file"], wrong["line"]) == ("pylint", "flows/tiny.py", 10)


def test_a_step_that_would_be_stuck_is_told_to_people(tmp_path: Path) -> None:
    """What it asks for, what there is, and what to write instead."""
    done = _soteria(tmp_path, "check", _write(tmp_path, memory=999_999))
    assert done.returncode == 1
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith("❌ can-start    Step start: The job asks for 999,999 MiB")
    assert "@resources(" in second
    assert done.stdout.endswith("Tiny did not pass: stopped by can-start.\n")


@pytest.mark.parametrize("flow", ["none.py", "flows"])
def test_a_flow_that_is_not_there_is_not_passed(tmp_path: Path, flow: str) -> None:
    """The JSON is printed all the same."""
    (tmp_path / "flows").mkdir()
    code, document = _checked(tmp_path, flow)
    assert (code, document["flow"]) == (2, None)
    assert document["checks"][0]["message"] == f"There is no file {flow}."


def test_settings_that_cannot_be_read_are_told_in_json_too(tmp_path: Path) -> None:
    """They are why nothing was checked."""
    (tmp_path / "ops_platform.toml").write_text("accounts = 1")
    code, document = _checked(tmp_path, _write(tmp_path))
    assert code == 2
    assert "ops_platform.toml" in document["checks"][0]["message"]


def test_without_a_description_of_the_queues_it_is_unchecked(tmp_path: Path) -> None:
    """The embedded edition's are not taken for an account's."""
    (tmp_path / "ops_platform.toml").write_text(SETTINGS)
    code, document = _checked(tmp_path, _write(tmp_path))
    assert (code, [each["name"] for each in _failing(document)]) == (2, ["can-start"])


def test_queues_and_names_come_from_the_settings(tmp_path: Path) -> None:
    """The first queue is the default one."""
    rules = """
[promotion.names]
project_required = true
[[promotion.queues]]
name = "small"
max_vcpus = 4
instance_types = [{name = "m5.large", vcpus = 2, memory_mib = 8192}]
"""
    (tmp_path / "ops_platform.toml").write_text(SETTINGS + rules)
    code, document = _checked(tmp_path, _write(tmp_path, memory=9_000))
    assert code == 1
    told = {each["name"]: each["message"] for each in _failing(document)}
    assert set(told) == {"names", "can-start"}
    assert "queue small has is 8,192 MiB" in told["can-start"]


def test_the_report_is_printed_as_a_pull_request_shows_it(tmp_path: Path) -> None:
    """In Markdown."""
    done = _soteria(tmp_path, "check", _write(tmp_path), "--markdown")
    assert done.stdout.startswith("**Tiny passed.**\n\n|  | Check |")


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing was checked then."""
    done = _soteria(tmp_path, "check", _write(tmp_path), "--python", "/no/python")
    assert done.returncode == 2
    assert "There is no interpreter /no/python." in done.stdout


def test_it_explains_itself(tmp_path: Path) -> None:
    """With its exit codes."""
    assert "Exit code: 0 passed" in _soteria(tmp_path, "check", "--help").stdout
    assert "check  Check a flow" in _soteria(tmp_path, "--help").stdout
