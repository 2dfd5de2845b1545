"""Wait until a job stands in a queue: ``python -m ops_platform.embedded.demo.await_blocked QUEUE``.

The account is the one that the environment names.
"""

import sys
import time

import boto3

_WITHIN_SECONDS = 120.0
_LOOK_SECONDS = 0.5


def await_blocked(queue: str) -> bool:
    """Return whether a job is RUNNABLE there, as soon as one is, or when it should have been."""
    batch = boto3.client("batch")
    deadline = time.monotonic() + _WITHIN_SECONDS
    while time.monotonic() < deadline:
        if batch.list_jobs(jobQueue=queue, jobStatus="RUNNABLE")["jobSummaryList"]:
            return True
        time.sleep(_LOOK_SECONDS)
    return False


if __name__ == "__main__":
    sys.exit(0 if await_blocked(sys.argv[1]) else f"No job came to wait in {sys.argv[1]}.")
