"""The rules of EventBridge by which an account's state machines are started."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.ports import ScheduleRule

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_GONE = "ResourceNotFoundException"
_DISABLED = "DISABLED"  # the other states are ENABLED and one that lets CloudTrail events in too


class EventBridgeSchedules:
    """The EventBridge API, as far as we read it; fulfils `Schedules`."""

    def __init__(self, client: "EventBridgeClient", pacer: Pacer | None = None) -> None:
        self._client = client
        self._pacer = pacer or Pacer()

    def rules(self, machine_arn: str) -> list[ScheduleRule]:
        """Return the rules that start a state machine by the clock, in the order of their ARNs."""
        with explained(f"list the rules that start {machine_arn}"):
            names = list(self._names(machine_arn))
        found = [rule for name in names if (rule := self._rule(name))]
        return sorted(found, key=lambda rule: rule.arn)

    def _names(self, machine_arn: str) -> Iterator[str]:
        self._pacer.wait("ListRuleNamesByTarget")
        pages = self._client.get_paginator("list_rule_names_by_target")
        for page in pages.paginate(TargetArn=machine_arn):
            yield from page["RuleNames"]

    def _rule(self, name: str) -> ScheduleRule | None:
        """Return a rule, or None if it is gone by now or waits for events and not for the clock."""
        self._pacer.wait("DescribeRule")
        try:
            with explained(f"read the rule {name}"):
                answer = self._client.describe_rule(Name=name)
        except AwsError as error:
            if error.code == _GONE:
                return None
            raise
        expression = answer.get("ScheduleExpression")
        if not expression:
            return None
        enabled = answer.get("State") != _DISABLED
        return ScheduleRule(arn=answer["Arn"], expression=expression, enabled=enabled)
