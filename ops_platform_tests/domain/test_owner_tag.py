"""The owner that a run is tagged with is read from the command, and nothing else is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.owner_tag import may_name_owner, owner_in

_STEP = "python flow.py --quiet step work --run-id sfn-$METAFLOW_RUN_ID"
# As Metaflow builds it: the mflog environment, the code package, the step, the logs saved.
_WHOLE = (
    "true && mkdir -p $PWD/.logs && export PYTHONUNBUFFERED=x MF_PATHSPEC=F/sfn-$METAFLOW_RUN_ID/w/"
    "$AWS_BATCH_JOB_ID && mflog 'Setting up task environment.' && python -m pip install \"x\" -qqq"
    f" && ({_STEP} --tag team:ml --tag owner:ana --namespace=production:f-0-ab) 1>> >(python -m"
    " metaflow.mflog.tee task $MFLOG_STDOUT); c=$?; python -m metaflow.mflog.save_logs; exit $c"
)


@pytest.mark.parametrize(
    ("command", "owner"),
    [
        ([], None),
        (["bash", "-c", _STEP], None),
        (["bash", "-c", _WHOLE], "ana"),
        (["bash", "-c", f"{_STEP} --tag owner:ana --tag team:fraud"], "ana"),
        (["bash", "-c", f"({_STEP} --tag owner:ana) 1>> >(tee)"], "ana"),
        (["bash", "-c", f"{_STEP} --tag=owner:ana.b@example.com&& true"], "ana.b@example.com"),
        (["bash", "-c", f"{_STEP} --tag 'owner:ana b'"], "ana b"),
        (["bash", "-c", f'{_STEP} --tag "owner:ana"'], "ana"),
        (["bash", "-c", f"{_STEP} --tag owner:zoë"], "zoë"),
        (["python", "flow.py", "--tag owner:ana"], "ana"),
        (["bash", "-c", f"{_STEP} --tag owner:zoe --tag owner:ana"], "ana"),
        (["bash", "-c", f"{_STEP} --tag co-owner:ana --tags owner:ana owner:ana"], None),
        (["bash", "-c", f"{_STEP} --tag owner:"], None),
        (["bash", "-c", f"{_STEP} --tag 'owner: '"], None),
        (["bash", "-c", f"{_STEP} --tag owner:$(id)"], None),
        (["bash", "-c", f"{_STEP} --tag owner:{'x' * 129}"], None),
        (["bash", "-c", "python -c 'boto3…' && bash /tmp/step_command.sh"], None),
    ],
)
def test_the_tag_names_the_owner(command: list[str], owner: str | None) -> None:
    """However the shell may quote it; two tags give the same owner in either order."""
    assert owner_in(command) == owner
    if owner:
        assert may_name_owner(" ".join(command).encode())


@given(st.lists(st.text()))
def test_no_command_is_an_error(command: list[str]) -> None:
    """What is found is a word of the command."""
    found = owner_in(command)
    assert found is None or any(found in part for part in command)


@pytest.mark.parametrize("piece", ["--tag ", "--tag  owner:", "--tag 'owner:x", "-", "'", "owner:"])
def test_a_hostile_command_costs_no_time(piece: str) -> None:
    """The search takes time in proportion to the length, whatever it almost finds."""
    began = time.perf_counter()
    owner_in([piece * (1_000_000 // len(piece))])
    assert time.perf_counter() - began < 2
