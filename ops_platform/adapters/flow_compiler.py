"""Flows compiled in a sandbox by the real Metaflow, and the report that comes out of it."""

import json
import os
import sys
from pathlib import Path

import msgspec

import ops_platform
from ops_platform.domain.compiled_flow import Compilation, Compiled, Unfinished
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.sandboxes import MEGABYTE, Ended, Limits, Sandbox, Task

_LARGEST_FOLDER = 512 * MEGABYTE
# Lint and deployment run side by side; the latter twice for a flow without @project.
_COMMANDS, _MARGIN_SECONDS = 2, 15.0
# A definition, and what two commands printed, are larger than what people would read.
_OUTPUT = 8 * MEGABYTE


class FlowCompiler:
    """Compiles flows in a sandbox; fulfils `Compiler`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def compile(self, compilation: Compilation) -> Compiled | Unfinished:
        """Lint and compile a flow."""
        _refuse_large(Path(compilation.folder))
        outcome = self._sandbox.run(_task(compilation))
        if outcome.ended is not Ended.EXITED:
            return Unfinished(outcome.ended, outcome.stderr.decode(errors="replace"))
        try:
            return msgspec.json.decode(outcome.stdout, type=Compiled)
        except (msgspec.DecodeError, UnicodeError):
            return Unfinished(Ended.EXITED, outcome.stderr.decode(errors="replace"))


def _task(compilation: Compilation) -> Task:
    request = {
        "python": compilation.python,
        "flow": compilation.flow,
        "options": compilation.options,
        "production": compilation.production,
        "create": compilation.create,
        "queues": dict(compilation.queues),
        "settings": dict(compilation.settings),
        "seconds": compilation.seconds,
    }
    module = "ops_platform.sandboxed.compile_flow"
    return Task(
        command=(sys.executable, "-I", "-m", module, json.dumps(request)),
        folder=compilation.folder,
        readable=tuple(_readable(compilation)),
        limits=Limits(seconds=_COMMANDS * compilation.seconds + _MARGIN_SECONDS, output=_OUTPUT),
    )


def _readable(compilation: Compilation) -> set[str]:
    """Return where the interpreters are, with what they import, and our own package."""
    pythons = {sys.executable, compilation.python}
    resolved = {str(Path(each).resolve().parent.parent) for each in pythons}
    folders = {compilation.environment} if compilation.environment else set()
    folders |= {str(Path(each).parent.parent) for each in pythons}
    package = str(Path(ops_platform.__file__).parent)
    return {*resolved, *folders, sys.prefix, sys.base_prefix, package}


def _refuse_large(folder: Path) -> None:
    total = 0
    for above, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each not in {".git", ".venv"}]
        total += sum((Path(above) / name).lstat().st_size for name in names)
        if total > _LARGEST_FOLDER:
            raise PlatformError(
                f"{folder} holds more than {_LARGEST_FOLDER // MEGABYTE} MB, all of which would be"
                " copied. Put the flow into a folder of its own, without data."
            )
