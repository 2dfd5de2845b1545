"""The owner that a run is tagged with is read from the command, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.run_tags import owner_tag

_STEP = "python flow.py --quiet step start --run-id sfn-$METAFLOW_RUN_ID"


@pytest.mark.parametrize(
    ("command", "owner"),
    [
        ([], None),
        (["bash", "-c", _STEP], None),
        (["bash", "-c", f"{_STEP} --tag owner:ana --tag team:fraud"], "ana"),
        (["bash", "-c", f"{_STEP} --tag=owner:ana.b@example.com && true"], "ana.b@example.com"),
        (["bash", "-c", f"{_STEP} --tag 'owner:ana'"], "ana"),
        (["python", "flow.py", "--tag owner:ana"], "ana"),
        (["bash", "-c", f"{_STEP} --tag owner:zoe --tag owner:ana"], "ana"),
        (["bash", "-c", f"{_STEP} --tag co-owner:ana --tags owner:ana"], None),
        (["bash", "-c", f"{_STEP} --tag owner:"], None),
        (["bash", "-c", f"{_STEP} --tag owner:{'x' * 201}"], None),
    ],
)
def test_the_tag_names_the_owner(command: list[str], owner: str | None) -> None:
    """However the shell may quote it; two tags give the same owner in either order."""
    assert owner_tag(command) == owner


@given(st.lists(st.text()))
def test_no_command_is_an_error(command: list[str]) -> None:
    """What is found is a word of the command."""
    found = owner_tag(command)
    assert found is None or any(found in part for part in command)
