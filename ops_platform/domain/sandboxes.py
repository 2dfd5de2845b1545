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
    """How much a task may take.

    In bytes: ``memory`` is what each process may map, ``total_memory`` what all of them may hold
    together, ``written`` what each file may have, ``disk`` what its home may, and ``output`` what
    is kept of what it prints on each of its two streams. ``files`` may be open in each process.
    """

    seconds: float = 60.0
    memory: int = 2048 * MEGABYTE
    total_memory: int = 3072 * MEGABYTE
    processes: int = 64
    files: int = 512
    written: int = 256 * MEGABYTE
    disk: int = 1024 * MEGABYTE
    output: int = MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be run.

    ``command`` names its program by an absolute path. ``folder`` is copied, and the copy is what
    the task sees and may write; nothing comes back but what it prints. ``readable`` are further
    folders that it has to read, such as a virtual environment. ``environment`` is all that it has
    of an environment, besides a HOME, TMPDIR and PATH of its own. It reaches its loopback alone.
    """

    command: tuple[str, ...]
    folder: str
    readable: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


class Ended(StrEnum):
    """How a task came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    TOOK_TOO_MUCH_MEMORY = "took too much memory"
    KILLED = "killed"
    """By a signal that was not ours: for too large a file, say."""
    TALKED_TOO_MUCH = "printed too much"
    """It was ended when its output had grown to many times what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task.

    ``exit_code`` is None unless it ended by itself. Of what it printed the beginning and the end
    are kept where it was too long. ``peak_memory`` is what all its processes were seen to hold.
    """

    ended: Ended
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak_memory: int


class Isolation(StrEnum):
    """How well a sandbox keeps a task from what is not its business."""

    FULL = "full"
    """A user, a file system and a network of its own: it sees no process, file or address of ours
    but the programs and folders that it was given."""
    OWN_USER = "own user"
    """A user of its own, so that it cannot look into our processes; but our network."""
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
