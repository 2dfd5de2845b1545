"""The whole path: `up --demo` runs real flows, and Dagster turns a failed one into one alert."""

import time
from pathlib import Path

import pytest
from slack_sdk import WebClient

from ops_platform_tests.embedded.postgres_holders import eventually
from ops_platform_tests.embedded.up_process import Up, up

_PROMISED_SECONDS = 240


def messages(edition: Up) -> list[str]:
    """Return the top-level messages of all channels of the Slack inbox."""
    slack = WebClient(token="xoxb-test", base_url=edition.address("slack_url"))
    channels = slack.conversations_list()["channels"]
    histories = [slack.conversations_history(channel=each["id"]) for each in channels]
    return [message["text"] for history in histories for message in history["messages"]]


def alerts_sent(edition: Up) -> int:
    """Return how many alerts the ledger knows to be sent."""
    return sum(row["alerts_sent"] for row in edition.listed("incidents", "list"))


@pytest.mark.timeout(400)  # and not slow: `make test` proves the whole path, whatever it costs
def test_the_demo_ends_in_one_alert_with_the_right_counts(tmp_path: Path) -> None:
    """Two tasks failed by themselves, ten were aborted: one message says so, in four minutes."""
    state = tmp_path / "state"
    with up(state, "--demo") as edition:
        edition.await_words("Deploying", seconds=100)
        began = time.monotonic()
        edition.await_words("The flows run now", seconds=200)
        assert eventually(lambda: alerts_sent(edition) > 0, seconds=_PROMISED_SECONDS, every=2)
        assert time.monotonic() - began < _PROMISED_SECONDS
        (incident,) = edition.listed("incidents", "list")
        assert incident["flow"] == "TrainDemandModels"
        assert (incident["account"], incident["owner"]) == ("staging", "grace")
        assert (incident["failed_jobs"], incident["collateral_jobs"]) == (2, 10)
        (alert,) = messages(edition)
        assert "TrainDemandModels" in alert
        assert_the_others_are_well(edition)
        assert edition.process.poll() is None


def assert_the_others_are_well(edition: Up) -> None:
    """The forecast succeeds in both accounts; the simulation waits for a machine."""

    def succeeded() -> set[str]:
        rows = edition.listed("executions", "list", "--flow", "ForecastDemand")
        return {row["account"] for row in rows if row["status"] == "SUCCEEDED"}

    assert eventually(lambda: succeeded() == {"staging", "production"}, seconds=60, every=2)
    (waiting,) = edition.listed("jobs", "list", "--flow", "SimulateCity")
    assert waiting["status"] == "RUNNABLE"
