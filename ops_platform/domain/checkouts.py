"""Code of a repository at one commit, and where it comes from."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ops_platform.domain.errors import PlatformError
from ops_platform.domain.staging_runs import Files

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"refs/[A-Za-z0-9][A-Za-z0-9._/+@=-]*")
_FLOW_PATH = re.compile(r"[^\x00-\x1f\\]+\.py")


class HeadMovedError(PlatformError):
    """The branch is at another commit than the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be checked out: ``commit``, which must be where ``ref`` points.

    ``repository`` is a name from the settings' list; ``ref`` is a full one, such as
    ``refs/pull/12/head``.

    Raises:
        PlatformError: The commit or the ref is none.
    """

    repository: str
    ref: str
    commit: str

    def __post_init__(self) -> None:
        """Refuse what git could take for something else, such as an option."""
        if not _COMMIT.fullmatch(self.commit):
            raise PlatformError(
                f"{self.commit[:80]!r} is no commit; give all 40 hexadecimal digits of it."
            )
        if not _REF.fullmatch(self.ref) or ".." in self.ref:
            raise PlatformError(
                f"{self.ref[:80]!r} is no full ref; give one such as refs/heads/main."
            )


class Checkout(Protocol):
    """A private copy of a repository at one commit."""

    @property
    def folder(self) -> str:
        """Where it is, an absolute path."""
        ...

    def has(self, path: str) -> bool:
        """Tell whether there is a regular file at a path within it."""
        ...

    def files_beside(self, flow_path: str) -> Files:
        """Return the digests of all files in a flow's folder and below, as `Wanted` needs them."""
        ...


class Repositories(Protocol):
    """The repositories that may be promoted from."""

    def branches(self, repository: str) -> list[str]:
        """Return the names of all branches of a repository.

        Raises:
            PlatformError: The repository is not in the list, or cannot be read.
        """
        ...

    def check_out(self, source: Source) -> AbstractContextManager[Checkout]:
        """Give a checkout for as long as the block lasts.

        Raises:
            HeadMovedError: The ref is at another commit by now.
            PlatformError: The repository is not in the list, or cannot be read.
        """
        ...


def checked_flow_path(path: str) -> str:
    """Return the path of a flow within its repository, if it is one that stays there.

    Raises:
        PlatformError: It is absolute, leads out of the repository or names no Python file.
    """
    parts = path.split("/")
    odd = {"", ".", "..", ".git"}
    if not _FLOW_PATH.fullmatch(path) or path.startswith("-") or odd.intersection(parts):
        raise PlatformError(
            f"{path[:200]!r} is no path of a flow; give it from the top of the repository,"
            " such as flows/forecast_demand.py."
        )
    return path
