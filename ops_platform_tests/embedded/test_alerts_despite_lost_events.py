"""A fifth of Step Functions' events is lost, and every failed run is told of all the same."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ops_platform.embedded.aws.losses import VARIABLE, Losses
from ops_platform.settings.load import load
from ops_platform_tests.embedded.aws.accounts import Aws, Json, task
from ops_platform_tests.embedded.real_flows import DataScientist, awaited
from ops_platform_tests.embedded.slack_messages import Post, posts, words_of
from ops_platform_tests.embedded.up_process import Up, up

LOSSES = Losses(0.2, "2")
# Fewer than a burst is made of: of one flow, and of one cause.
FLOWS = tuple(f"Lossy{letter}" for letter in "ABCDEF")
RUNS_OF_EACH = 3
NAMES = {f"{flow}-{number}": flow for flow in FLOWS for number in range(RUNS_OF_EACH)}
# A tick of ingest and one of delivery, and the start of a run of Dagster's, on a busy machine.
_SLACK = timedelta(seconds=40)


def machine_of(aws: Aws, flow: str) -> str:
    """Create a machine as Metaflow's deployer writes them, of one step that fails at once."""
    start = task(aws.definition("sh", "-c", "exit 4"), f"SFN-{flow}--start--") | {"End": True}
    start["Parameters"]["Parameters"] = {
        "metaflow.user": "SFN",
        "metaflow.owner": "ada",
        "metaflow.flow_name": flow,
        "metaflow.step_name": "start",
        "metaflow.run_id.$": "$$.Execution.Name",
    }
    return aws.machine({"StartAt": "start", "States": {"start": start}})


def fail_all(aws: Aws) -> dict[str, Json]:
    """Run every flow a few times; return the executions by name when they have failed."""
    client = aws.client("stepfunctions")
    machines = {flow: machine_of(aws, flow) for flow in FLOWS}
    given = '{"Parameters": "{}"}'
    arns = [
        client.start_execution(stateMachineArn=machines[flow], name=name, input=given)
        for name, flow in NAMES.items()
    ]
    ended = [aws.until_ended(each["executionArn"], seconds=90) for each in arns]
    assert {each["status"] for each in ended} == {"FAILED"}
    return {each["name"]: each for each in ended}


def begin_to_watch(edition: Up, aws: Aws) -> None:
    """Wait until the platform has heard of the account: what was before is no news."""
    definition = json.loads('{"StartAt": "only", "States": {"only": {"Type": "Succeed"}}}')
    assert not LOSSES.take("hello", "SUCCEEDED")
    aws.start(definition, name="hello")
    awaited(lambda: edition.listed("executions", "list"), seconds=60, what="the first event")


def told_of(post: Post) -> list[str]:
    """Return the runs that a message is about."""
    return [name for name in NAMES if f"sfn-{name}`" in words_of(post.versions[0])]


def delays(told: Sequence[Post], ended: dict[str, Json]) -> dict[str, timedelta]:
    """Return by run how long after its end its message came."""
    return {
        name: datetime.fromtimestamp(float(post.now.ts), ended[name]["stopDate"].tzinfo)
        - ended[name]["stopDate"]
        for post in told
        for name in told_of(post)
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_failed_run_is_told_once_within_an_interval_of_reconciliation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of which neither the start nor the end was ever heard."""
    lost = {name for name in NAMES if LOSSES.take(name, "FAILED")}
    unheard = {name for name in lost if LOSSES.take(name, "RUNNING")}
    assert len(lost) >= 4
    assert unheard
    monkeypatch.setenv(VARIABLE, f"{LOSSES.share}:{LOSSES.seed}")
    with up(tmp_path / "state") as edition:
        edition.await_words("Running.", seconds=100)
        aws = DataScientist(edition, "staging").aws
        begin_to_watch(edition, aws)
        ended = fail_all(aws)
        timing = load({"OPS_STATE_DIR": str(edition.state)}).timing
        settle, interval = timing.settle_seconds, timing.reconcile_minutes * 60

        def told() -> list[Post]:
            found = posts(edition.state / "slack", "alerts-staging")
            return found if len(found) >= len(NAMES) else []

        at_the_end = awaited(told, seconds=interval + settle + 90, what="the last alert")
        took = delays(at_the_end, ended)
        assert sorted(name for post in at_the_end for name in told_of(post)) == sorted(NAMES)
        assert max(took.values()) <= timedelta(seconds=interval + settle) + _SLACK
