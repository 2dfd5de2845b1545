"""Events of Step Functions that a test loses on purpose."""

import pytest

from ops_platform.embedded.aws.losses import VARIABLE, Losses, losses_from
from ops_platform_tests.embedded.aws.accounts import Aws, eventually, running, staging_on_free_port

NAMES = [f"run-{number}" for number in range(1000)]


def test_nothing_is_lost_unless_it_is_asked_for() -> None:
    """The demo and the users of the edition see every event."""
    assert not any(losses_from({}).take(name, "FAILED") for name in NAMES)


def test_the_share_is_kept_and_the_choice_is_the_seeds() -> None:
    """A run of a test that fails can be repeated as it was."""
    losses = losses_from({VARIABLE: "0.2:7"})
    lost = [name for name in NAMES if losses.take(name, "FAILED")]

    assert 150 < len(lost) < 250
    assert lost == [name for name in NAMES if Losses(0.2, "7").take(name, "FAILED")]
    assert lost != [name for name in NAMES if Losses(0.2, "8").take(name, "FAILED")]


def test_the_start_and_the_end_of_a_run_are_lost_apart() -> None:
    """Of some runs the platform hears only the beginning, of others only the end."""
    losses = Losses(0.5, "1")
    fates = {(losses.take(name, "RUNNING"), losses.take(name, "FAILED")) for name in NAMES}

    assert len(fates) == 4


def test_a_lost_event_never_reaches_the_queue(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that loses everything still tells of it when it is asked."""
    monkeypatch.setenv(VARIABLE, "1:")
    account, folder = staging_on_free_port(), tmp_path_factory.mktemp("losing")
    with running(account, folder):
        aws = Aws(account, folder)
        arn = aws.start({"StartAt": "only", "States": {"only": {"Type": "Succeed"}}})
        assert aws.until_ended(arn)["status"] == "SUCCEEDED"
        job_id = aws.submit("exit 0")
        eventually(lambda: aws.events(resource=job_id), what="the event of a job")
        assert not aws.events(resource=arn)
