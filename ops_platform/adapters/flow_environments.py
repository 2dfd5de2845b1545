"""The virtual environments in which flows are checked and deployed, made once for each content.

Made by uv of wheels alone, which runs no code of theirs, from a list of names that is ours (see
`ops_platform.domain.requirements`). uv runs in a folder of ours, so it reads no configuration of
the pull request either.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ops_platform.domain.checkouts import Checkout
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.requirements import (
    Package,
    RequirementsError,
    names_metaflow,
    read_project,
    read_requirements,
)

_READERS = {"requirements.txt": read_requirements, "pyproject.toml": read_project}
_LARGEST = 1_000_000
_SECONDS = 600.0
_UNUSED_SECONDS = 30 * 86_400.0
_COMPLETE = "complete"
# What an operator tells uv of indexes, proxies and certificates; nothing else is handed on.
_HANDED_ON = ("UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_")


@dataclass(frozen=True, slots=True)
class FlowEnvironment:
    """An interpreter with what a flow needs.

    ``folder`` is None where a flow names no packages, and the platform's own interpreter is used.
    ``source`` is the file that named them, from the top of the repository.
    """

    python: str
    folder: str | None = None
    source: str | None = None


class FlowEnvironments:
    """Makes environments in a folder, and keeps them for those who ask for the same again.

    Args:
        folder: Where they are; it must stay where it is, since they hold its path.
        python: The interpreter they are made with; by default the platform's own.
        seconds: How long an installation may take.
    """

    def __init__(
        self, folder: Path, *, python: str = sys.executable, seconds: float = _SECONDS
    ) -> None:
        self._folder = folder
        self._python = python
        self._seconds = seconds

    def of(self, checkout: Checkout, flow_path: str) -> FlowEnvironment:
        """Return the environment for a flow of a checkout, made if there is none yet.

        The nearest ``requirements.txt`` or ``pyproject.toml`` that names packages counts, from the
        flow's folder up to the top of the repository.

        Raises:
            RequirementsError: What they ask for cannot be taken.
            PlatformError: It cannot be installed; the text says what uv said.
        """
        named = _named_packages(checkout, flow_path)
        if named is None:
            return FlowEnvironment(self._python)
        source, packages = named
        if not names_metaflow(packages):
            raise RequirementsError(f"{source} does not name metaflow; add it, with its version.")
        folder = self._made(_lines(packages), source)
        return FlowEnvironment(str(folder / "bin" / "python"), str(folder), source)

    def _made(self, lines: list[str], source: str) -> Path:
        key = hashlib.sha256("\n".join([self._python, sys.version, *lines]).encode()).hexdigest()
        folder = self._folder / key[:32]
        self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            if not (folder / _COMPLETE).exists():
                self._make(folder, lines, source)
            (folder / _COMPLETE).touch()
        self._forget_unused(folder)
        return folder

    def _make(self, folder: Path, lines: list[str], source: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        venv = ["venv", "--quiet", "--no-project", "--python", self._python, str(folder)]
        self._uv(venv, doing="make a virtual environment")
        wanted = folder / "wanted.txt"
        wanted.write_text("\n".join(lines) + "\n")
        install = ["pip", "install", "--quiet", "--only-binary", ":all:"]
        install += ["--python", str(folder / "bin" / "python"), "--requirements", str(wanted)]
        self._uv(install, doing=f"install what {source} names")

    def _uv(self, arguments: list[str], *, doing: str) -> None:
        from uv import find_uv_bin  # noqa: PLC0415, only who makes one needs to find it

        try:
            done = subprocess.run(
                [find_uv_bin(), *arguments],
                cwd=self._folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PlatformError(f"Could not {doing} within {self._seconds:g} s.") from None
        if done.returncode:
            raise PlatformError(f"Could not {doing}. uv says: {done.stderr.strip()[-1500:]}")

    def _forget_unused(self, used: Path) -> None:
        """Remove the environments that nobody has asked for in a month."""
        newest = (used / _COMPLETE).stat().st_mtime
        for marker in self._folder.glob(f"*/{_COMPLETE}"):
            if newest - marker.stat().st_mtime > _UNUSED_SECONDS:
                with _locked(marker.parent.with_suffix(".lock")):
                    shutil.rmtree(marker.parent, ignore_errors=True)


def _named_packages(checkout: Checkout, flow_path: str) -> tuple[str, tuple[Package, ...]] | None:
    for folder in PurePosixPath(flow_path).parents:
        for name, read in _READERS.items():
            path = str(folder / name)
            if not checkout.has(path):
                continue
            if packages := read(_text(Path(checkout.folder) / path, path), path=path):
                return path, packages
    return None


def _text(file: Path, path: str) -> str:
    if file.stat().st_size > _LARGEST:
        raise RequirementsError(f"{path} is larger than {_LARGEST:,} bytes.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RequirementsError(f"{path} is not UTF-8.") from None


def _lines(packages: tuple[Package, ...]) -> list[str]:
    """Return the lines to install; pylint comes along unless hashes are asked for throughout."""
    lines = [each.line() for each in packages]
    hashed = any(each.hashes for each in packages)
    named = any(line.lower().startswith("pylint") for line in lines)
    return lines if hashed or named else [*lines, "pylint"]


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k.upper().startswith(_HANDED_ON)}
    ours = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")}
    return kept | ours | {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
