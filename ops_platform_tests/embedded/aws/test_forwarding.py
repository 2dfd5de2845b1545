"""The account deploys the very template that users deploy."""

import json
import subprocess
import sys
from pathlib import Path

from ops_platform.embedded.aws.account import FORWARDING_STACK
from ops_platform.shipped import shipped
from ops_platform_tests.embedded.aws.accounts import Aws


def test_the_template_is_sound() -> None:
    """As cfn-lint sees it: it is what users deploy in AWS."""
    linter = Path(sys.executable).with_name("cfn-lint")
    line = [str(linter), str(shipped("deploy/event-forwarding.yaml"))]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stack_tells_the_queue_that_the_platform_reads(aws: Aws) -> None:
    """The outputs of the stack are what a user copies into the settings."""
    stacks = aws.client("cloudformation").describe_stacks(StackName=FORWARDING_STACK)["Stacks"]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks[0]["Outputs"]}
    assert outputs["QueueUrl"].rpartition("/")[2] == aws.account.event_queue_url.rpartition("/")[2]
    assert outputs["QueueArn"].endswith(":ops-platform-events")


def test_what_cannot_be_handled_ends_in_the_dead_letter_queue(aws: Aws) -> None:
    """The redrive of the queue points there."""
    attributes = aws.client("sqs").get_queue_attributes(
        QueueUrl=aws.account.event_queue_url, AttributeNames=["All"]
    )["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":ops-platform-events-dead-letter")
    assert (
        aws.client("sqs").get_queue_attributes(
            QueueUrl=aws.account.dead_letter_queue_url, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        == redrive["deadLetterTargetArn"]
    )


def test_a_rule_that_is_switched_off_forwards_nothing(aws: Aws) -> None:
    """The rules are the account's own: what a user changes there takes effect."""
    events = aws.client("events")
    (rule,) = [r["Name"] for r in events.list_rules()["Rules"] if "Batch" in r["Name"]]
    events.disable_rule(Name=rule)
    try:
        job_id = aws.submit("exit 0")
        aws.until(job_id, "SUCCEEDED")
        assert aws.events(resource=job_id) == []
    finally:
        events.enable_rule(Name=rule)
