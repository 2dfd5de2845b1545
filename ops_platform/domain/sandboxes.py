"""The port behind which code of a pull request runs: without credentials, and bounded.

Importing a flow runs it: its module, its decorators, its deploy-time parameters. So whatever does
that is a task for a sandbox, and everything that comes out of one is a stranger's word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a task may take, all of its processes together unless it says otherwise.

    ``memory`` is in bytes for each process, ``written`` in bytes for each file; ``output`` is what
    is kept of what it prints, in bytes for each of its two streams.
    """

    seconds: float = 60.0
    memory: int = 2048 * MEGABYTE
    processes: int = 64
    written: int = 256 * MEGABYTE
    output: int = MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be run.

    ``command`` names its program by an absolute path. ``folder`` is copied, and the copy is what
    the task sees and may write; nothing comes back but what it prints. ``readable`` are further
    folders that it has to read, such as a virtual environment. ``environment`` is all that it has
    of an environment, besides a HOME, TMPDIR and PATH of its own. With ``network`` it reaches
    the world (a package index, say), but never the address that hands out credentials; without,
    its own loopback alone.
    """

    command: tuple[str, ...]
    folder: str
    readable: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    limits: Limits = field(default_factory=Limits)


class Ended(StrEnum):
    """How a task came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    KILLED = "killed"
    """By a signal that was not ours: out of memory, most often, or too large a file."""
    TALKED_TOO_MUCH = "printed too much"
    """It was ended when its output had grown to many times what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task.

    ``exit_code`` is None unless it ended by itself. Of what it printed the beginning and the end
    are kept where it was too long.
    """

    ended: Ended
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak_memory: int | None = None


class Isolation(StrEnum):
    """How well a sandbox keeps a task from what is not its business."""

    FULL = "full"
    """A user and a network of its own: it sees neither our processes nor any address of ours."""
    OWN_CODE = "own code only"
    """No credentials and bounded, but the caller's user and network: for one's own flows."""


class Sandbox(Protocol):
    """Where tasks run."""

    @property
    def isolation(self) -> Isolation:
        """How well tasks are kept apart here."""
        ...

    def run(self, task: Task) -> Outcome:
        """Run a task to its end; whatever it started has ended too by then.

        Raises:
            PlatformError: It could not be started.
        """
        ...
