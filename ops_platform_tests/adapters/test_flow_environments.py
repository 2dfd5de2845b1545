"""Environments of flows, installed by the real uv from wheels of ours."""

import io
import os
import subprocess
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from ops_platform.adapters.flow_environments import FlowEnvironments
from ops_platform.adapters.git import GitCheckout
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.requirements import RequirementsError

FLOW = "flows/forecast/flow.py"


def _wheel(folder: Path, name: str, version: str = "1.0") -> None:
    """Write a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    kind = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": kind,
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that uv finds: wheels of Metaflow and pylint that are none."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("metaflow", "pylint"):
        _wheel(folder, name)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def environments(index: Path, tmp_path: Path) -> FlowEnvironments:
    """None made yet."""
    assert index.is_dir()
    return FlowEnvironments(tmp_path / "environments")


def _checkout(folder: Path, files: dict[str, str]) -> GitCheckout:
    for name, text in {FLOW: "", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return GitCheckout(folder)


def _imports(python: str, module: str) -> str:
    code = f"import {module}; print({module}.version)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_what_a_flow_names_is_installed(environments: FlowEnvironments, tmp_path: Path) -> None:
    """With pylint, which its checks need."""
    checkout = _checkout(tmp_path / "repo", {"flows/forecast/requirements.txt": "metaflow==1.0\n"})
    made = environments.of(checkout, FLOW)
    assert made.source == "flows/forecast/requirements.txt"
    assert _imports(made.python, "metaflow") == "1.0"
    assert _imports(made.python, "pylint") == "1.0"


def test_the_same_content_is_installed_once(
    environments: FlowEnvironments, index: Path, tmp_path: Path
) -> None:
    """By whatever flow it is asked for, and other content apart."""
    first = _checkout(tmp_path / "one", {"requirements.txt": "metaflow\n"})
    second = _checkout(tmp_path / "two", {"flows/requirements.txt": "# same\nmetaflow\n"})
    other = _checkout(tmp_path / "three", {"requirements.txt": "metaflow==2.0\n"})
    made = environments.of(first, FLOW)
    for wheel in index.iterdir():
        wheel.rename(wheel.with_suffix(".gone"))
    assert environments.of(second, FLOW).python == made.python
    with pytest.raises(PlatformError, match="Could not install what"):
        environments.of(other, FLOW)


def test_what_failed_half_way_is_made_anew(
    environments: FlowEnvironments, index: Path, tmp_path: Path
) -> None:
    """Once what it lacked is there."""
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": "metaflow\nlate\n"})
    with pytest.raises(PlatformError, match="late"):
        environments.of(checkout, FLOW)
    _wheel(index, "late")
    assert _imports(environments.of(checkout, FLOW).python, "late") == "1.0"


def test_the_nearest_file_that_names_packages_counts(
    environments: FlowEnvironments, tmp_path: Path
) -> None:
    """A pyproject.toml for tools alone names none."""
    checkout = _checkout(
        tmp_path / "repo",
        {
            "flows/forecast/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
            "flows/requirements.txt": "metaflow\n",
            "pyproject.toml": '[project]\ndependencies = ["nothing"]\n',
        },
    )
    assert environments.of(checkout, FLOW).source == "flows/requirements.txt"


def test_a_flow_without_packages_has_the_platforms_own(
    environments: FlowEnvironments, tmp_path: Path
) -> None:
    """Nothing is made for it."""
    made = environments.of(_checkout(tmp_path / "repo", {}), FLOW)
    assert (made.folder, made.source) == (None, None)
    assert Path(made.python).exists()
    assert not (tmp_path / "environments").exists()


def test_packages_without_metaflow_are_refused(
    environments: FlowEnvironments, tmp_path: Path
) -> None:
    """With what to add."""
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": "pylint\n"})
    with pytest.raises(RequirementsError, match="does not name metaflow"):
        environments.of(checkout, FLOW)


def test_a_package_that_has_to_be_built_is_refused_and_does_not_run(
    environments: FlowEnvironments, index: Path, tmp_path: Path
) -> None:
    """Its setup.py is a stranger's code."""
    hit = tmp_path / "hit"
    code = f"open({str(hit)!r}, 'w'); from setuptools import setup; setup(name='evil')".encode()
    with tarfile.open(index / "evil-1.0.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("evil-1.0/setup.py")
        entry.size = len(code)
        archive.addfile(entry, io.BytesIO(code))
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": "metaflow\nevil\n"})
    with pytest.raises(PlatformError, match="evil"):
        environments.of(checkout, FLOW)
    assert not hit.exists()


def test_configuration_of_the_pull_request_is_not_read(
    environments: FlowEnvironments, tmp_path: Path
) -> None:
    """It could name an index of its own."""
    evil = '[[tool.uv.index]]\nurl = "http://127.0.0.1:1/"\ndefault = true\n'
    checkout = _checkout(
        tmp_path / "repo",
        {"pyproject.toml": f'[project]\ndependencies = ["metaflow"]\n{evil}', "uv.toml": "evil\n"},
    )
    assert _imports(environments.of(checkout, FLOW).python, "metaflow") == "1.0"


def test_credentials_of_ours_are_not_handed_on(
    environments: FlowEnvironments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of indexes and proxies alone."""
    tell = tmp_path / "tell"
    fake = tmp_path / "uv"
    fake.write_text(f"#!/bin/sh\nenv > {tell}\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setattr("uv.find_uv_bin", lambda: os.fspath(fake))
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": "metaflow\n"})
    with pytest.raises(PlatformError):
        environments.of(checkout, FLOW)
    assert "s3cret" not in tell.read_text()
    assert "UV_FIND_LINKS" in tell.read_text()


def test_two_who_ask_at_once_get_the_same(environments: FlowEnvironments, tmp_path: Path) -> None:
    """One of them waits while the other one installs."""
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": "metaflow\n"})
    found: list[str] = []
    asking = [
        threading.Thread(target=lambda: found.append(environments.of(checkout, FLOW).python))
        for _ in range(2)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(found) == 2
    assert len(set(found)) == 1


def test_what_nobody_asked_for_in_a_month_goes(
    environments: FlowEnvironments, tmp_path: Path
) -> None:
    """When another one is asked for."""
    old = environments.of(_checkout(tmp_path / "one", {"requirements.txt": "metaflow\n"}), FLOW)
    marker = Path(old.folder or "") / "complete"
    long_ago = marker.stat().st_mtime - 31 * 86_400
    os.utime(marker, (long_ago, long_ago))
    environments.of(_checkout(tmp_path / "two", {"requirements.txt": "metaflow==1.0\n"}), FLOW)
    assert not marker.parent.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "is not UTF-8"), (b"#" * 1_000_001, "is larger than 1,000,000 bytes")],
)
def test_a_file_that_is_no_list_is_refused(
    environments: FlowEnvironments, tmp_path: Path, content: bytes, said: str
) -> None:
    """Before it is read into memory."""
    checkout = _checkout(tmp_path / "repo", {"requirements.txt": ""})
    (tmp_path / "repo" / "requirements.txt").write_bytes(content)
    with pytest.raises(RequirementsError, match=said):
        environments.of(checkout, FLOW)
