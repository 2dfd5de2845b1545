"""The whole path: `up --demo` runs real flows, and Dagster turns a failed one into one alert."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from ops_platform_tests.embedded.postgres_holders import eventually
from ops_platform_tests.embedded.up_process import Up, up

_MAIN = "from ops_platform.cli.main import main; main()"
_PROMISED_SECONDS = 240


def ops_platform(state: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run a command that lists things, as in another terminal."""
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments, "--json"],
        env={**os.environ, "OPS_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def messages(edition: Up) -> list[str]:
    """Return the top-level messages of all channels of the Slack inbox."""
    slack = WebClient(token="xoxb-test", base_url=edition.address("slack_url"))
    channels = slack.conversations_list()["channels"]
    histories = [slack.conversations_history(channel=each["id"]) for each in channels]
    return [message["text"] for history in histories for message in history["messages"]]


def alerts_sent(state: Path) -> int:
    """Return how many alerts the ledger knows to be sent."""
    return sum(row["alerts_sent"] for row in ops_platform(state, "incidents", "list"))


@pytest.mark.timeout(400)  # and not slow: `make test` proves the whole path, whatever it costs
def test_the_demo_ends_in_one_alert_with_the_right_counts(tmp_path: Path) -> None:
    """Two tasks failed by themselves, ten were aborted: one message says so, in four minutes."""
    state = tmp_path / "state"
    with up(state, "--demo") as edition:
        edition.await_words("Deploying", seconds=100)
        began = time.monotonic()
        edition.await_words("The flows run now", seconds=200)
        assert eventually(lambda: alerts_sent(state) > 0, seconds=_PROMISED_SECONDS, every=2)
        assert time.monotonic() - began < _PROMISED_SECONDS
        (incident,) = ops_platform(state, "incidents", "list")
        assert incident["flow"] == "TrainDemandModels"
        assert (incident["account"], incident["owner"]) == ("staging", "grace")
        assert (incident["failed_jobs"], incident["collateral_jobs"]) == (2, 10)
        (alert,) = messages(edition)
        assert "TrainDemandModels" in alert
        assert_the_others_are_well(state)
        assert edition.process.poll() is None


def assert_the_others_are_well(state: Path) -> None:
    """The forecast succeeds in both accounts; the simulation waits for a machine."""

    def succeeded() -> set[str]:
        rows = ops_platform(state, "executions", "list", "--flow", "ForecastDemand")
        return {row["account"] for row in rows if row["status"] == "SUCCEEDED"}

    assert eventually(lambda: succeeded() == {"staging", "production"}, seconds=60, every=2)
    (waiting,) = ops_platform(state, "jobs", "list", "--flow", "SimulateCity")
    assert waiting["status"] == "RUNNABLE"
