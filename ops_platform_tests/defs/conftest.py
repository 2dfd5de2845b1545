"""What each test of the code location leaves behind."""

from collections.abc import Iterator

import pytest
from dagster._core.storage.defs_state.base import DefsStateStorage


@pytest.fixture(autouse=True)
def no_dead_instance() -> Iterator[None]:
    """Fail the test that leaves a closed Dagster instance behind, rather than a later one.

    Instances that are closed in another order than they were opened in do so: definitions that
    are loaded afterwards ask the dead one. A context of a sensor or a schedule opens one too.
    """
    yield
    storage = DefsStateStorage.get()
    if storage is not None and storage.has_instance:
        assert storage._instance is not None, "it is gone"
