"""The whole path: `up --demo` runs real flows, and Dagster makes of each trouble one alert."""

import time
from functools import partial
from pathlib import Path

import pytest
from slack_sdk import WebClient

from ops_platform_tests.embedded.postgres_holders import eventually
from ops_platform_tests.embedded.up_process import Up, up

_PROMISED_SECONDS = 240
# A minute until the job is stale, a minute until somebody looks, and what two busy cores need.
_STALE_SECONDS = 240


def messages(edition: Up, flow: str) -> list[str]:
    """Return the top-level messages that the Slack inbox has of a flow, in any channel."""
    slack = WebClient(token="xoxb-test", base_url=edition.address("slack_url"))
    channels = slack.conversations_list()["channels"]
    histories = [slack.conversations_history(channel=each["id"]) for each in channels]
    found = [message["text"] for history in histories for message in history["messages"]]
    return [text for text in found if flow in text]


def alerts_sent(edition: Up, flow: str) -> int:
    """Return how many alerts of a flow the ledger knows to be sent."""
    return sum(row["alerts_sent"] for row in edition.listed("incidents", "list", "--flow", flow))


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_the_demo_tells_its_whole_story(tmp_path: Path) -> None:
    """Two tasks fail, ten are aborted: one message. One job can never start: another message."""
    state = tmp_path / "state"
    with up(state, "--demo") as edition:
        edition.await_words("Deploying", seconds=100)
        began = time.monotonic()
        edition.await_words("The flows run now", seconds=200)
        look = partial(alerts_sent, edition, "TrainDemandModels")
        assert eventually(lambda: look() > 0, seconds=_PROMISED_SECONDS, every=2)
        assert time.monotonic() - began < _PROMISED_SECONDS
        (incident,) = edition.listed("incidents", "list", "--flow", "TrainDemandModels")
        assert (incident["account"], incident["owner"]) == ("staging", "grace")
        assert (incident["failed_jobs"], incident["collateral_jobs"]) == (2, 10)
        assert len(messages(edition, "TrainDemandModels")) == 1
        assert_the_stale_job_makes_way(edition)
        assert_the_others_are_well(edition)
        assert edition.process.poll() is None


def assert_the_stale_job_makes_way(edition: Up) -> None:
    """The simulation is explained and cancelled, in one message; the survey behind it runs."""

    def ended() -> list[dict[str, object]]:
        rows = edition.listed("cancellations", "list", "--flow", "SimulateCity")
        return [row for row in rows if row["outcome"] == "cancelled"]

    assert eventually(lambda: bool(ended()), seconds=_STALE_SECONDS, every=3)
    (cancellation,) = ended()
    assert (cancellation["queue"], cancellation["owner"]) == ("stuck", "ada")
    assert "999" in str(cancellation["diagnosis"])
    look = partial(alerts_sent, edition, "SimulateCity")
    assert eventually(lambda: look() > 0, seconds=90, every=2)
    assert len(messages(edition, "SimulateCity")) == 1
    assert eventually(
        lambda: succeeded(edition, "SurveyStreets") == {"staging"}, seconds=90, every=2
    )


def succeeded(edition: Up, flow: str) -> set[str]:
    """Return the accounts in which a run of a flow has succeeded."""
    rows = edition.listed("executions", "list", "--flow", flow)
    return {row["account"] for row in rows if row["status"] == "SUCCEEDED"}


def assert_the_others_are_well(edition: Up) -> None:
    """The forecast succeeds in both accounts."""
    both = {"staging", "production"}
    assert eventually(lambda: succeeded(edition, "ForecastDemand") == both, seconds=60, every=2)
