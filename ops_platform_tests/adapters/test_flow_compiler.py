"""Flows compiled in the sandbox, by the real Metaflow; and those that would not have it."""

import sys
from pathlib import Path

import pytest

from ops_platform.adapters import flow_compiler
from ops_platform.adapters.flow_compiler import FlowCompiler
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.domain.compiled_flow import Compilation, Compiled, Unfinished
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.flow_findings import findings_of
from ops_platform.domain.sandboxes import Ended

FLOW = """
from metaflow import FlowSpec, step
class Tiny(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Tiny()
"""


def _compiled(folder: Path, text: str, *, seconds: float = 60.0) -> Compiled | Unfinished:
    (folder / "flow.py").write_text(text)
    compilation = Compilation(
        folder=str(folder),
        flow="flow.py",
        python=sys.executable,
        queues={"metaflow": "EC2"},
        seconds=seconds,
    )
    return FlowCompiler(LocalSandbox()).compile(compilation)


def test_a_flow_is_compiled_in_the_sandbox(tmp_path: Path) -> None:
    """With its machine, its definition, and nothing to complain of."""
    compiled = _compiled(tmp_path, FLOW)
    assert isinstance(compiled, Compiled)
    assert compiled.machine == "Tiny"
    assert all(each.passed for each in findings_of(compiled, seconds=60))


def test_a_flow_finds_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the process that asks for its compilation."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-real-one")
    text = (
        "import os, pathlib\n"
        "print(dict(os.environ))\n"
        "for each in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try:\n        print(each.read_bytes())\n"
        "    except OSError as error:\n        print(error)\n"
    )
    compiled = _compiled(tmp_path, text)
    assert isinstance(compiled, Compiled)
    assert "AWS_SECRET_ACCESS_KEY" in compiled.lint.text
    assert "a-real-one" not in compiled.lint.text


def test_one_that_would_forge_the_report_may_not(tmp_path: Path) -> None:
    """The stream of the report belongs to a process that was root's when it got it."""
    text = "import os\nopen(f'/proc/{os.getppid()}/fd/1', 'w').write('{}')\n"
    compiled = _compiled(tmp_path, text)
    assert isinstance(compiled, Compiled)
    assert "Permission denied" in compiled.lint.text
    assert [each.reason for each in findings_of(compiled, seconds=60)] == ["does-not-load"]


def test_one_that_ends_who_asks_passes_nothing(tmp_path: Path) -> None:
    """It can kill what compiles it, which has its user; that is all it gains."""
    compiled = _compiled(tmp_path, "import os\nos.kill(os.getppid(), 9)\n")
    assert isinstance(compiled, Unfinished)
    assert compiled.ended is Ended.KILLED
    assert [each.reason for each in findings_of(compiled, seconds=60)] == ["killed"]


def test_a_folder_with_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would all be copied; what git and environments hold is passed over."""
    monkeypatch.setattr(flow_compiler, "_LARGEST_FOLDER", 1_000)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "pack").write_bytes(bytes(2_000))
    assert isinstance(_compiled(tmp_path, FLOW), Compiled)
    (tmp_path / "data").write_bytes(bytes(2_000))
    with pytest.raises(PlatformError, match="a folder of its own, without data"):
        _compiled(tmp_path, FLOW)
