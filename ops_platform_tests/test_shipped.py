"""Files that the wheel carries along are found; `test_packaging` looks into a wheel."""

from pathlib import Path

import pytest

from ops_platform.domain.errors import PlatformError
from ops_platform.shipped import shipped

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["deploy/event-forwarding.yaml", "dagster.yaml"])
def test_a_checkout_has_the_file_itself(name: str) -> None:
    """What a user reads in the repository is what runs."""
    assert shipped(name) == REPOSITORY / name


def test_a_broken_installation_says_so() -> None:
    """The sentence names the file and what to do."""
    with pytest.raises(PlatformError, match=r"nothing\.yaml is missing .* Install"):
        shipped("nothing.yaml")
