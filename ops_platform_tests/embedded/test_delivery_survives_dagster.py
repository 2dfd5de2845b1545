"""Dagster's daemon and code server are killed in the middle of a tick that delivers alerts."""

import json
import os
import signal
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops_platform.embedded.aws.account import staging
from ops_platform_tests.build import bodies
from ops_platform_tests.embedded.real_flows import awaited
from ops_platform_tests.embedded.slack_messages import posts
from ops_platform_tests.embedded.up_process import Up, pid_of, up
from ops_platform_tests.operations.failing_runs import Run

CHANNEL = "alerts-staging"
RUNS = [Run(f"run-{number}", flow=f"Flow{number}") for number in range(3)]
DAGSTER = (("dagster._daemon",), ("dagster", "api", "grpc"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_no_alert_is_lost_or_doubled_when_dagster_is_killed_while_it_delivers(
    tmp_path: Path,
) -> None:
    """What Slack was at work on is found by the next sender, and the rest is sent."""
    with up(tmp_path / "state") as edition:
        edition.await_words("Running.", seconds=200)
        _plan(edition, {"method": "chat.postMessage", "skip": 1, "delay": 60})
        _fail(edition)
        slack = edition.state / "slack"
        awaited(lambda: len(posts(slack, CHANNEL)) == 2, seconds=200, what="the second message")
        for words in DAGSTER:
            os.kill(pid_of(edition.state, *words), signal.SIGKILL)
        edition.process.wait(timeout=60)

    with up(tmp_path / "state") as edition:
        edition.await_words("Running.", seconds=200)
        awaited(lambda: _told(slack) == len(RUNS), seconds=400, what="each message and its thread")
        told = posts(slack, CHANNEL)
    assert len({_key(post.now.metadata) for post in told}) == len(told) == len(RUNS)
    assert [len(post.thread) for post in told] == [1] * len(RUNS)
    assert [post.pings for post in told] == [["U0ADA00001"]] * len(RUNS)


def _told(slack: Path) -> int:
    return sum(bool(post.thread) for post in posts(slack, CHANNEL))


def _fail(edition: Up) -> None:
    """Forward the events of runs that have just failed, as EventBridge does."""
    account = _addresses(edition)["accounts"]["staging"]
    queue = boto3.client(
        "sqs",
        endpoint_url=account["endpoint_url"],
        region_name=staging(0).region,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    for run in RUNS:
        for body in bodies(run.ended(datetime.now(UTC), "FAILED")):
            queue.send_message(QueueUrl=account["event_queue_url"], MessageBody=body.decode())


def _plan(edition: Up, fault: dict[str, Any]) -> None:
    """Let Slack's inbox misbehave."""
    page = str(_addresses(edition)["slack_url"]).removesuffix("api/")
    request = urllib.request.Request(
        f"{page}faults",
        data=json.dumps(fault).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["ok"]


def _addresses(edition: Up) -> dict[str, Any]:
    addresses: dict[str, Any] = json.loads((edition.state / "embedded.json").read_text())
    return addresses


def _key(metadata: Any) -> str:
    return str(metadata["event_payload"]["key"])
