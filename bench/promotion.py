"""How long a promotion takes in an embedded edition, its run in production not waited for.

Real git, a real flow, real Metaflow, Dagster's API: from the launch of the job to its end, all
sanity checks made in between. The code host is the tests' own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.results import Result
from ops_platform_tests.embedded.promotion_shop import Shop, open_shop

_PROMOTIONS = 5
_SECONDS = 30.0


def promotion_without_its_run() -> Iterator[Result]:
    """Promote version after version of a flow that ran in Staging."""
    with TemporaryDirectory() as folder, open_shop(Path(folder)) as shop:
        taken = sorted(_seconds(shop, number) for number in range(_PROMOTIONS))
    yield Result(
        name=f"a promotion without its run, median of {_PROMOTIONS}",
        measured=f"{median(taken):.1f} s, the slowest {taken[-1]:.1f} s",
        target=f"≤ {_SECONDS:.0f} s",
        met=median(taken) <= _SECONDS,
    )


def _seconds(shop: Shop, number: int) -> float:
    commit = shop.push(memory=str(5000 + number))
    ran = shop.run_in_staging()
    if ran != "SUCCEEDED":
        raise RuntimeError(f"The Staging run is {ran}.")
    began = time.monotonic()
    done = shop.promote(commit)
    if done.status != "SUCCESS":
        raise RuntimeError(f"The promotion failed: {done.failure}")
    return time.monotonic() - began
