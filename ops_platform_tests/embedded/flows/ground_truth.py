"""What the tasks themselves know of their end: one file for each attempt of a job.

Both the tasks, in whose code package this file lies beside their flow, and the tests use it.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

STARTED = "started"
ABOUT_TO_FAIL = "about to fail"
SUCCEEDED = "succeeded"
FAILED = "failed"
_PATIENCE_SECONDS = 600
_BEGAN: dict[tuple[str, str], float] = {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt of a job went, or that it was still at work when it was last heard of.

    ``since`` is when its process began to act, ``at`` when it was last heard of, since 1970.
    """

    step: str
    job_id: str
    attempt: int
    outcome: str
    at: float
    since: float


def write(folder: Path, step: str, outcome: str) -> None:
    """Write down what becomes of the attempt in which this process is."""
    job_id, attempt = os.environ["AWS_BATCH_JOB_ID"], os.environ["AWS_BATCH_JOB_ATTEMPT"]
    now = time.time()
    since = _BEGAN.setdefault((job_id, attempt), now)
    known = Attempt(step, job_id, int(attempt), outcome, now, since)
    written = folder / f"{job_id}.{attempt}.part"
    written.write_text(json.dumps(asdict(known)))
    written.replace(written.with_suffix(".json"))


def read(folder: Path) -> list[Attempt]:
    """Return the attempts that have begun so far, by the time of what was last heard of them."""
    found = [Attempt(**json.loads(path.read_text())) for path in folder.glob("*.json")]
    return sorted(found, key=lambda attempt: attempt.at)


@contextmanager
def witnessed(folder: Path, step: str) -> Iterator[None]:
    """Write down how the block ends; of a process that is killed the beginning remains."""
    write(folder, step, STARTED)
    try:
        yield
    except BaseException:
        write(folder, step, FAILED)
        raise
    write(folder, step, SUCCEEDED)


def await_truth(folder: Path, holds: Callable[[list[Attempt]], bool]) -> None:
    """Return once the attempts so far are such."""
    deadline = time.time() + _PATIENCE_SECONDS
    while not holds(read(folder)):
        if time.time() > deadline:
            raise TimeoutError("the other tasks did not come")
        time.sleep(0.1)
