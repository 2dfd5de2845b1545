"""We take a part of what AWS allows an account, and no more, however long we work."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.adapters.step_functions_pace import BUCKETS, SHARE, Pacer

LIST = "ListExecutions"


class Watch:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        assert seconds > 0
        self.now += seconds


def _paced() -> tuple[Watch, Callable[[str], None]]:
    watch = Watch()
    return watch, Pacer(clock=watch, sleep=watch.sleep).wait


def test_a_small_account_is_read_without_delay() -> None:
    """Some calls may follow each other at once."""
    watch, wait = _paced()
    for _ in range(20):
        wait(LIST)
    assert watch.now == 0


@pytest.mark.parametrize("action", BUCKETS)
def test_in_the_long_run_we_take_our_share_of_the_refill(action: str) -> None:
    """Others want to list and describe as well."""
    watch, wait = _paced()
    for _ in range(3000):
        wait(action)
    assert 3000 / watch.now == pytest.approx(SHARE * BUCKETS[action].refill, rel=0.02)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_the_bucket_of_aws_is_never_empty(pauses: list[float]) -> None:
    """Whatever the pauses between our calls are."""
    watch, wait = _paced()
    bucket = BUCKETS[LIST]
    left, last = float(bucket.size), 0.0
    for pause in pauses:
        watch.now += pause
        wait(LIST)
        left = min(bucket.size, left + (watch.now - last) * bucket.refill) - 1
        last = watch.now
        assert left >= bucket.size * 0.89


def test_actions_do_not_wait_for_each_other() -> None:
    """Each has a limit of its own."""
    watch, wait = _paced()
    for _ in range(100):
        wait(LIST)
    at = watch.now
    wait("DescribeExecution")
    assert watch.now == at
