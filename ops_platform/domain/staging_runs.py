"""The evidence from Staging: did the latest run of this very code succeed?

A run is known by the definition that its execution ran, in which Metaflow left the commit, whether
the working tree was clean, and where the code package is (``METAFLOW_VERSION`` and
``METAFLOW_CODE_URL``, see Metaflow's ``metaflow_git.py``). The same content under another commit
counts too, as after a squash: then the files of the package are those of the checkout.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Protocol

import msgspec

from ops_platform.domain.checks import STAGING_RUN
from ops_platform.domain.findings import Finding
from ops_platform.domain.software import Software
from ops_platform.domain.words import counted, duration, listed

_MOST_LOOKED_AT = 100

Files = Mapping[str, str]
"""The digest of each file of a flow's own, by its path from the flow file's folder."""

PACKAGED_SUFFIXES = (".py", ".r", ".rds")
"""What Metaflow packages of a flow's folder unless it is told to take more; in any case."""


class Sameness(StrEnum):
    """How a run's code relates to the commit that is asked for."""

    COMMIT = "the same commit, clean"
    CONTENT = "the same files"
    DIRTY = "the same commit, with changes that were not committed"
    UNREAD = "the same commit by its word, with a code package that cannot be read"
    OTHER = "another commit"
    UNKNOWN = "code that nobody can tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingRun:
    """A run in Staging, and what code it ran.

    ``commit`` is None where Metaflow found no git. ``is_dirty`` is None where it did not say.
    ``owner`` is whom its alerts mention. ``files`` is None where the code package is gone, and
    ``software`` and ``graph`` where the definition that it ran cannot be read.
    """

    run_id: str
    execution_arn: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    commit: str | None
    is_dirty: bool | None
    owner: str | None = None
    files: Files | None = None
    software: Software | None = None
    graph: str | None = None
    link: str | None = None


class StagingRuns(Protocol):
    """What ran in Staging."""

    def runs_of(self, machine: str, branch: str | None) -> Iterator[StagingRun]:
        """Yield the runs of a production machine's flow, the latest first.

        Those of a git branch come before those of all others. Each costs a call, so whoever has
        seen enough asks for no more.

        Raises:
            PlatformError: They cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The code that must have run; ``files`` are all in the flow's folder of its checkout.

    ``graph`` is the digest of the steps that it compiles to (see `definition_shape`), None if that
    is not asked.
    """

    commit: str
    files: Files
    max_age: timedelta
    graph: str | None = None


def differing(package: Files, checkout: Files) -> list[str]:
    """Return which files of a code package are not those of a checkout, sorted.

    What is packaged must be there, and what Metaflow packages by itself must be in the package.
    """
    expected = {path for path in checkout if is_packaged(path)}
    return sorted(
        path for path in package.keys() | expected if package.get(path) != checkout.get(path)
    )


def is_packaged(path: str) -> bool:
    """Tell whether Metaflow packages a file of the flow's folder by itself (its ``walk``)."""
    *folders, name = path.split("/")
    if "__pycache__" in folders or any(part.startswith(".") for part in (*folders, name)):
        return False
    return name.lower().endswith(PACKAGED_SUFFIXES)


def sameness(run: StagingRun, wanted: Wanted) -> Sameness:
    """Tell how a run's code relates to what is wanted.

    Metaflow's look at the working tree passes over files that git does not know, and packages
    them. So the files of the package decide, even for the same commit; without them a run proves
    nothing.
    """
    if run.files is not None and not differing(run.files, wanted.files):
        return Sameness.COMMIT if _is_clean(run, wanted) else Sameness.CONTENT
    if run.commit == wanted.commit:
        return Sameness.UNREAD if _is_clean(run, wanted) and run.files is None else Sameness.DIRTY
    return Sameness.UNKNOWN if run.commit is None and run.files is None else Sameness.OTHER


def up_to_proof(runs: Iterable[StagingRun], wanted: Wanted) -> list[StagingRun]:
    """Return the first of some runs, up to one of the code that is wanted."""
    seen = []
    for run in islice(runs, _MOST_LOOKED_AT):
        seen.append(run)
        if _counts(run, wanted):
            break
    return seen


def proof(runs: Iterable[StagingRun], wanted: Wanted) -> StagingRun | None:
    """Return the latest run of the code that is wanted, however it ended."""
    ours = [run for run in runs if _counts(run, wanted)]
    return max(ours, key=lambda run: run.started_at, default=None)


def judge_staging(
    machine: str, runs: Sequence[StagingRun], wanted: Wanted, *, now: datetime
) -> Finding:
    """Return whether the latest run of the code that is wanted is a success that still counts.

    Args:
        machine: What to call the flow where it has no runs.
        runs: The runs of it, in any order.
        wanted: What must have run.
        now: From when age is counted.
    """
    if not runs:
        return STAGING_RUN.failed("no-run", f"{machine} has never run in Staging.")
    ours = proof(runs, wanted)
    if ours is None:
        found = _of_other_code(max(runs, key=lambda run: run.started_at), wanted)
        return msgspec.structs.replace(found, message=f"{found.message}{_seen(runs)}")
    return _of_this_code(ours, sameness(ours, wanted), wanted.max_age, now)


def _counts(run: StagingRun, wanted: Wanted) -> bool:
    if wanted.graph is not None and run.graph != wanted.graph:
        return False
    return sameness(run, wanted) in {Sameness.COMMIT, Sameness.CONTENT}


def _is_clean(run: StagingRun, wanted: Wanted) -> bool:
    return run.commit == wanted.commit and run.is_dirty is False


def _of_this_code(run: StagingRun, same: Sameness, max_age: timedelta, now: datetime) -> Finding:
    named = f"{run.run_id} ({same})"
    if run.ended_at is None:
        return STAGING_RUN.failed(
            "running",
            f"{named} still runs, since {duration(now - run.started_at)}.",
            fix="Wait until it has ended.",
            link=run.link,
        )
    if run.status != "SUCCEEDED":
        message = f"{named} {_how(run.status)}."
        return STAGING_RUN.failed("failed", message, fix=_AFTER_FAILURE, link=run.link)
    age = now - run.ended_at
    if age > max_age:
        message = f"{named} succeeded {duration(age)} ago; a proof counts for {duration(max_age)}."
        return STAGING_RUN.failed("too-old", message, fix="Run it once more.", link=run.link)
    message = f"{named} succeeded {duration(age)} ago."
    return STAGING_RUN.passed(message, reason="succeeded", link=run.link)


_AFTER_FAILURE = "Mend it, deploy the mended commit to Staging, and wait until it succeeds."


def _of_other_code(run: StagingRun, wanted: Wanted) -> Finding:
    """Return why the latest run proves nothing of the code that is wanted."""
    same = sameness(run, wanted)
    at = wanted.commit[:12]
    if same is Sameness.DIRTY:
        message = f"{run.run_id} ran {at} with {_what_differs(run, wanted)}."
        return STAGING_RUN.failed("dirty", message, link=run.link)
    if same is Sameness.UNREAD:
        message = f"The code package of {run.run_id}, which says that it ran {at}, is gone."
        return STAGING_RUN.failed("package-gone", message, fix="Run it once more.", link=run.link)
    if same in {Sameness.COMMIT, Sameness.CONTENT}:
        message = f"{run.run_id} ran {at} with other steps than it compiles to."
        return STAGING_RUN.failed("other-steps", message, link=run.link)
    if same is Sameness.UNKNOWN:
        message = f"{run.run_id} ran code that was not deployed from a git checkout."
        return STAGING_RUN.failed("unknown-code", message, link=run.link)
    ran = f"at {run.commit[:12]}" if run.commit else "from elsewhere than git"
    message = f"{run.run_id}, the latest run, ran the flow {ran}, not at {at}."
    return STAGING_RUN.failed("another-commit", message, link=run.link)


def _seen(runs: Sequence[StagingRun]) -> str:
    """Say that there may be more runs than were looked at."""
    return f" Only {len(runs)} runs were looked at." if len(runs) >= _MOST_LOOKED_AT else ""


def _what_differs(run: StagingRun, wanted: Wanted) -> str:
    if run.files is None:
        return "changes that were not committed"
    names = differing(run.files, wanted.files)
    return f"{counted(len(names), 'other file', 'other files')}: {listed(names)}"


def _how(status: str) -> str:
    words = {"FAILED": "failed", "TIMED_OUT": "timed out", "ABORTED": "was aborted"}
    return words.get(status, f"ended as {status}")
