"""Git, as far as a checkout needs it: one ref, one commit, none of the repository's own settings.

What is checked out is a stranger's. Git runs without this machine's configuration, so no filter,
hook or helper of anybody's is started, and submodules stay where they are.
"""

import hashlib
import os
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

from ops_platform.adapters.bounded_process import run_bounded
from ops_platform.domain.checkouts import HeadMovedError, Source
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.names import nearest

_SECONDS = 180.0
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "true",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",  # a redirect would carry the token along
    "protocol.allow": "never",
    "submodule.recurse": "false",
}
_MOST_FILES = 20_000
_HEADS = "refs/heads/"
_SCHEMES = ("https", "http", "file")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is, and the token that may read it, if one is needed."""

    url: str
    token: str | None = None

    @property
    def scheme(self) -> str:
        """How it is reached: https, or, on a laptop, http or file."""
        return self.url.partition(":")[0]

    def __repr__(self) -> str:
        """Keep the token out of tracebacks."""
        return f"Remote({self.url!r})"


class GitCheckout:
    """A folder with a repository at one commit; fulfils `Checkout`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @property
    def folder(self) -> str:
        """Where it is, an absolute path."""
        return str(self._folder)

    def has(self, path: str) -> bool:
        """Tell whether there is a regular file at a path within it, not led out of by a link."""
        found = (self._folder / path).resolve()
        return found.is_relative_to(self._folder) and found.is_file()

    def files_beside(self, flow_path: str) -> dict[str, str]:
        """Return the digests of all files in a flow's folder and below, by their path from it."""
        top = self._folder / PurePosixPath(flow_path).parent
        return {
            path.relative_to(top).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self._walk(top, frozenset(), count())
        }

    def _walk(self, folder: Path, above: frozenset[Path], looked: Iterator[int]) -> Iterator[Path]:
        """Yield the files below a folder; links are followed where they stay in the checkout.

        A few links to one another make more paths than anybody could read.
        """
        for path in sorted(folder.iterdir()):
            if next(looked) >= _MOST_FILES:
                raise PlatformError(f"There are more than {_MOST_FILES:,} files beside the flow.")
            found = path.resolve()
            if path.name == ".git" or not found.is_relative_to(self._folder):
                continue
            if found.is_dir() and found not in above:
                yield from self._walk(path, above | {found}, looked)
            elif found.is_file():
                yield path


class GitRepositories:
    """The repositories of the settings' list; fulfils `Repositories`.

    Args:
        remotes: Where each of them is, by its name.
        folder: Where checkouts are made, each in a folder of its own that only we may enter.
        seconds: How long git may take for each.
    """

    def __init__(
        self, remotes: Mapping[str, Remote], folder: Path, *, seconds: float = _SECONDS
    ) -> None:
        self._remotes = remotes
        self._folder = folder
        self._seconds = seconds

    def branches(self, repository: str) -> list[str]:
        """Return the names of all branches of a repository."""
        remote = self._remote(repository)
        self._folder.mkdir(parents=True, exist_ok=True)
        git = _Git(self._folder, remote, seconds=self._seconds)
        listed = git.run("ls-remote", "--heads", "--", remote.url,
                         doing=f"list the branches of {repository}")  # fmt: skip
        return [line.partition(_HEADS)[2] for line in listed.splitlines() if _HEADS in line]

    @contextmanager
    def check_out(self, source: Source) -> Iterator[GitCheckout]:
        """Give a checkout for as long as the block lasts."""
        remote = self._remote(source.repository)
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="checkout-", dir=self._folder))
        try:
            self._fill(folder, source, remote)
            yield GitCheckout(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _fill(self, folder: Path, source: Source, remote: Remote) -> None:
        git = _Git(folder, remote, seconds=self._seconds)
        named = f"{source.ref} of {source.repository}"
        git.run("init", "--quiet", "--template=", doing=f"prepare a checkout of {named}")
        git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--", remote.url, source.ref,
                doing=f"fetch {named}")  # fmt: skip
        at = git.run("rev-parse", "FETCH_HEAD^{commit}", doing=f"read {named}").strip()
        if at != source.commit:
            raise HeadMovedError(
                f"{named} is at {at[:12]} by now, not at {source.commit[:12]}. Ask again, so that"
                " what is checked is what was reviewed."
            )
        git.run("checkout", "--quiet", "--detach", at, doing=f"check out {named}")

    def _remote(self, name: str) -> Remote:
        remote = self._remotes.get(name)
        if remote is None:
            near = nearest(name, self._remotes)
            hint = f"Did you mean {near}?" if near else "Add it to [[promotion.repositories]]."
            raise PlatformError(f"The repository {name!r} may not be promoted from. {hint}")
        if remote.scheme not in _SCHEMES:
            raise PlatformError(f"{remote.url} is reached by none of {', '.join(_SCHEMES)}.")
        return remote


class _Git:
    """Git in one folder, with nothing of this machine's or this user's settings."""

    def __init__(self, folder: Path, remote: Remote, *, seconds: float) -> None:
        self._folder = folder
        self._remote = remote
        self._seconds = seconds

    def run(self, *arguments: str, doing: str) -> str:
        """Run one command of git's and return what it printed.

        Raises:
            PlatformError: It failed or took too long; the text says what git said.
        """
        done = run_bounded(
            ["git", *arguments],
            folder=self._folder,
            environment=self._environment(),
            seconds=self._seconds,
        )
        if done is None:
            raise PlatformError(
                f"Could not {doing} within {self._seconds:g} s. Is the host reachable?"
            )
        if done.exit_code:
            raise PlatformError(f"Could not {doing}. Git says: {_reason(done.stderr)}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        settings = _SETTINGS | {f"protocol.{self._remote.scheme}.allow": "always"}
        if self._remote.token:
            # In the environment, since everybody on this machine sees arguments.
            basic = b64encode(f"x-access-token:{self._remote.token}".encode()).decode()
            settings["http.extraHeader"] = f"Authorization: Basic {basic}"
        numbered = enumerate(settings.items())
        given = {
            name: text
            for index, (key, value) in numbered
            for name, text in (
                (f"GIT_CONFIG_KEY_{index}", key),
                (f"GIT_CONFIG_VALUE_{index}", value),
            )
        }
        return {
            **given,
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "HOME": os.devnull,
            "LC_ALL": "C",
            "PATH": os.environ.get("PATH", os.defpath),
        }


def _reason(said: str) -> str:
    """Return the line that tells most: the first error, since the others follow from it."""
    lines = said.strip().splitlines() or ["nothing"]
    return next((line for line in lines if line.startswith(("error", "fatal"))), lines[-1])[:500]
