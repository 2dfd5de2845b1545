"""Every event has the envelope and the detail that AWS sends."""

import re
from datetime import datetime

import pytest

from ops_platform_tests.embedded.aws.accounts import Aws, Json, eventually, task

JOB_FIELDS = {
    "jobArn",
    "jobName",
    "jobId",
    "jobQueue",
    "status",
    "attempts",
    "createdAt",
    "retryStrategy",
    "dependsOn",
    "jobDefinition",
    "parameters",
    "container",
    "tags",
    "platformCapabilities",
}
EXECUTION_FIELDS = {
    "executionArn",
    "stateMachineArn",
    "name",
    "status",
    "startDate",
    "stopDate",
    "input",
    "inputDetails",
    "output",
    "outputDetails",
}
INSTANCE_FIELDS = {
    "containerInstanceArn",
    "ec2InstanceId",
    "clusterArn",
    "agentConnected",
    "status",
    "attributes",
    "registeredResources",
    "remainingResources",
    "version",
    "updatedAt",
}


@pytest.fixture
def story(aws: Aws) -> list[Json]:
    """The events of an execution with one job, from its start to its end."""
    definition = aws.definition("true")
    arn = aws.start({"StartAt": "only", "States": {"only": task(definition) | {"End": True}}})
    aws.until_ended(arn)
    (job,) = aws.jobs_of(arn)
    instance = job["container"]["containerInstanceArn"]
    eventually(lambda: len(aws.events(resource=arn)) == 2)
    names = {arn, job["jobArn"], instance}
    return [event for event in aws.events() if names & set(event["resources"])]


def test_every_envelope_is_complete(aws: Aws, story: list[Json]) -> None:
    """Account, region, a time in whole seconds, and an id that is its own."""
    for event in story:
        assert event["version"] == "0"
        assert event["account"] == aws.account.account_id
        assert event["region"] == "us-east-1"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
        assert datetime.fromisoformat(event["time"]).tzinfo is not None
        assert event["source"] in {"aws.batch", "aws.states", "aws.ecs"}
    ids = [event["id"] for event in story]
    assert len(set(ids)) == len(ids)


def test_a_job_tells_each_of_its_states_but_the_first(story: list[Json]) -> None:
    """AWS sends nothing for the submission; the detail is that of DescribeJobs."""
    events = [e for e in story if e["detail-type"] == "Batch Job State Change"]
    statuses = [event["detail"]["status"] for event in events]
    assert statuses == ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    for event in events:
        detail = event["detail"]
        assert detail.keys() >= JOB_FIELDS
        assert event["resources"] == [detail["jobArn"]]
        assert detail["tags"] == {"resourceArn": detail["jobArn"]}
    starting, running, succeeded = (event["detail"] for event in events[1:])
    assert starting["attempts"] == []
    assert "logStreamName" not in starting["container"]
    assert running["startedAt"] == succeeded["startedAt"]
    assert succeeded["attempts"][0]["container"]["exitCode"] == 0


def test_a_job_event_shows_the_environment_in_plain_text(story: list[Json]) -> None:
    """As in AWS: whoever stores such an event must leave the environment out."""
    (last,) = [
        e for e in story if e["detail"].get("status") == "SUCCEEDED" and "jobId" in (e["detail"])
    ]
    environment = last["detail"]["container"]["environment"]
    assert {"name": "MANAGED_BY_AWS", "value": "STARTED_BY_STEP_FUNCTIONS"} in environment


def test_an_execution_tells_its_start_and_its_end(story: list[Json]) -> None:
    """RUNNING without an end, then the terminal state with one."""
    events = [e for e in story if e["source"] == "aws.states"]
    started, ended = (event["detail"] for event in events)
    assert started.keys() >= EXECUTION_FIELDS
    assert (started["status"], started["stopDate"], started["output"]) == ("RUNNING", None, None)
    assert ended["status"] == "SUCCEEDED"
    assert ended["stopDate"] > ended["startDate"] == started["startDate"]
    assert ended["outputDetails"] == {"included": True}


def test_an_instance_tells_its_type_zone_and_size(story: list[Json]) -> None:
    """What metrics by instance type and zone are made of."""
    first = next(e["detail"] for e in story if e["source"] == "aws.ecs")
    assert first.keys() >= INSTANCE_FIELDS
    attributes = {a["name"]: a.get("value") for a in first["attributes"]}
    assert attributes["ecs.instance-type"].startswith("r5.")
    assert attributes["ecs.availability-zone"].startswith("us-east-1")
    assert attributes["ecs.ami-id"].startswith("ami-")
    sizes = {r["name"]: r["integerValue"] for r in first["registeredResources"]}
    assert sizes["CPU"] >= 1024
    assert sizes["MEMORY"] > 0
