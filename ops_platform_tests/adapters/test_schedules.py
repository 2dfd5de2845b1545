"""Rules as no emulator answers for them: forbidden, gone between two calls, on several pages."""

from typing import Any

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.ports import ScheduleRule
from ops_platform_tests.adapters.canned_aws import Answer, Request, canned_aws
from ops_platform_tests.adapters.schedules_contract import DAILY, MACHINE

_ARN = "arn:aws:events:eu-west-1:123456789012:rule"


def _described(name: str, **more: str) -> Answer:
    fields = {"Name": name, "Arn": f"{_ARN}/{name}", "ScheduleExpression": DAILY}
    return Answer.of({**fields, "State": "ENABLED", **more})


def test_what_aws_forbids_says_what_to_allow() -> None:
    """The code is kept, since one forbidden machine does not hide the others."""
    with canned_aws(lambda _: Answer.error("AccessDeniedException")) as aws:
        schedules = EventBridgeSchedules(AccountClients(aws.account).events)
        with pytest.raises(AwsError) as raised:
            schedules.rules(MACHINE)

    assert raised.value.code == "AccessDeniedException"
    assert str(raised.value) == (
        f"Could not list the rules that start {MACHINE}: AccessDeniedException:"
        " AccessDeniedException it is. Allow this action in the policy of the platform's role in"
        " that account."
    )


def test_a_rule_that_is_deleted_meanwhile_is_left_out() -> None:
    """It was listed, and then it was gone."""

    def answer(request: Request) -> Answer:
        if "TargetArn" in request.fields:
            return Answer.of({"RuleNames": ["gone", "there"]})
        if request.fields["Name"] == "gone":
            return Answer.error("ResourceNotFoundException")
        return _described("there")

    with canned_aws(answer) as aws:
        rules = EventBridgeSchedules(AccountClients(aws.account).events).rules(MACHINE)

    assert [rule.name for rule in rules] == ["there"]


def test_a_rule_that_cannot_be_read_is_an_error() -> None:
    """Without it nobody can tell what was missed."""

    def answer(request: Request) -> Answer:
        if "TargetArn" in request.fields:
            return Answer.of({"RuleNames": ["secret"]})
        return Answer.error("AccessDeniedException")

    with canned_aws(answer) as aws:
        schedules = EventBridgeSchedules(AccountClients(aws.account).events)
        with pytest.raises(AwsError, match="Could not read the rule secret"):
            schedules.rules(MACHINE)


def test_every_page_is_read() -> None:
    """AWS may end a page wherever it likes, even before the first name."""
    pages: dict[str | None, dict[str, Any]] = {
        None: {"RuleNames": [], "NextToken": "1"},
        "1": {"RuleNames": ["b"], "NextToken": "2"},
        "2": {"RuleNames": ["a"]},
    }

    def answer(request: Request) -> Answer:
        if "TargetArn" in request.fields:
            return Answer.of(pages[request.fields.get("NextToken")])
        return _described(request.fields["Name"])

    with canned_aws(answer) as aws:
        rules = EventBridgeSchedules(AccountClients(aws.account).events).rules(MACHINE)

    assert [rule.name for rule in rules] == ["a", "b"]


def test_a_rule_may_be_enabled_for_more_than_the_clock() -> None:
    """The state that takes events of CloudTrail in is enabled all the same."""
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

    def answer(request: Request) -> Answer:
        if "TargetArn" in request.fields:
            return Answer.of({"RuleNames": ["all"]})
        return _described("all", State=state)

    with canned_aws(answer) as aws:
        rules = EventBridgeSchedules(AccountClients(aws.account).events).rules(MACHINE)

    assert rules == [ScheduleRule(f"{_ARN}/all", DAILY, enabled=True)]


def test_we_take_our_time() -> None:
    """EventBridge's limits are the account's, and others need them, too."""
    waited: list[float] = []
    pacer = Pacer(clock=lambda: 0.0, sleep=waited.append)
    with canned_aws(lambda _: Answer.of({"RuleNames": []})) as aws:
        schedules = EventBridgeSchedules(AccountClients(aws.account).events, pacer)
        for _ in range(20):
            schedules.rules(MACHINE)

    assert sum(waited) > 0
