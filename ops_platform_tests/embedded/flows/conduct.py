"""How a task of these flows behaves, in one word; it lies beside them in the code package."""

# Beside this file the import is found in a job, and nowhere else.
# mypy: disable-error-code="import-not-found"

import os
import time
from dataclasses import dataclass
from pathlib import Path

from ground_truth import ABOUT_TO_FAIL, FAILED, SUCCEEDED, Attempt, await_truth, witnessed, write

SUCCEEDS = "succeeds"
FAILS = "fails"
FAILS_LATER = "fails later"
SECOND_TRY = "succeeds at the second attempt"
WAITS = "waits"
# Those that fail have seen each other by then, and the job of the last that succeeded has ended.
_HANDSHAKE_SECONDS = 3
_LATER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Cast:
    """How many tasks of a run fail by themselves, and how many others have to succeed before."""

    failing: int
    succeeding: int
    attempts: int = 1

    def is_ready(self, known: list[Attempt]) -> bool:
        """Tell whether all that fail are at their last attempt, and the others are done."""
        last = [each for each in known if each.attempt == self.attempts]
        at_it = [each for each in last if each.outcome in {ABOUT_TO_FAIL, FAILED}]
        done = [each for each in known if each.outcome == SUCCEEDED]
        return len(at_it) >= self.failing and len(done) >= self.succeeding


def act(conduct: str, folder: Path, step: str, cast: Cast) -> None:
    """Behave as told, and write down how it ended."""
    with witnessed(folder, step):
        attempt = int(os.environ["AWS_BATCH_JOB_ATTEMPT"])
        if conduct == WAITS:
            time.sleep(600)
        if conduct == SECOND_TRY and attempt == 1:
            raise ConnectionError(f"{step}: the feed hung up on attempt {attempt}")
        if conduct in {FAILS, FAILS_LATER}:
            if attempt == cast.attempts:
                write(folder, step, ABOUT_TO_FAIL)
                await_truth(folder, cast.is_ready)
                time.sleep(_HANDSHAKE_SECONDS + _LATER_SECONDS * (conduct == FAILS_LATER))
            raise ValueError(f"{step}: <!channel> the shelf is *empty* on attempt {attempt}")
