"""The schedule of a state machine as a rule of EventBridge, read and put back exactly."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.deployed_machines import Rule, RuleTarget
from ops_platform.domain.errors import PlatformError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_GONE = "ResourceNotFoundException"
_ENABLED, _DISABLED = "ENABLED", "DISABLED"
_KNOWN = frozenset({"Id", "Arn", "RoleArn", "Input"})


class DeployedRules:
    """The rules of an account's default bus."""

    def __init__(self, client: "EventBridgeClient", caller: PatientCaller) -> None:
        self._client = client
        self._caller = caller

    def get(self, name: str) -> Rule | None:
        """Return a rule with its targets, None if there is none."""
        found = self._caller.call_unless(
            {_GONE}, "DescribeRule", f"read the rule {name}", self._client.describe_rule, Name=name
        )
        if found is None:
            return None
        return Rule(
            name=name,
            expression=found.get("ScheduleExpression", ""),
            enabled=found.get("State", _ENABLED) != _DISABLED,
            description=found.get("Description") or None,
            targets=tuple(map(_target_of, self._targets(name))),
        )

    def put(self, rule: Rule) -> None:
        """Make a rule be exactly this.

        It is put disabled until its targets are right, so that at no moment it starts what it
        should not.
        """
        self._put(rule, enabled=False)
        wanted = {target.id for target in rule.targets}
        there = [each["Id"] for each in self._targets(rule.name)]
        self._remove(rule.name, [each for each in there if each not in wanted])
        if rule.targets:
            targets = [_as_target(target) for target in rule.targets]
            doing = f"set the targets of the rule {rule.name}"
            put = self._client.put_targets
            _refuse_failed(
                self._caller.call("PutTargets", doing, put, Rule=rule.name, Targets=targets), doing
            )
        if rule.enabled:
            self._put(rule, enabled=True)

    def delete(self, name: str) -> None:
        """Delete a rule with its targets; one that is gone is no error."""
        try:
            self._remove(name, [each["Id"] for each in self._targets(name)])
            self._caller.call(
                "DeleteRule", f"delete the rule {name}", self._client.delete_rule, Name=name
            )
        except AwsError as error:
            if error.code != _GONE:
                raise

    def _put(self, rule: Rule, *, enabled: bool) -> None:
        arguments = {
            "Name": rule.name,
            "ScheduleExpression": rule.expression,
            "State": _ENABLED if enabled else _DISABLED,
            **({"Description": rule.description} if rule.description else {}),
        }
        put = self._client.put_rule
        self._caller.call("PutRule", f"put the rule {rule.name}", put, **arguments)

    def _remove(self, name: str, ids: list[str]) -> None:
        if not ids:
            return
        doing = f"remove targets of the rule {name}"
        remove = self._client.remove_targets
        _refuse_failed(self._caller.call("RemoveTargets", doing, remove, Rule=name, Ids=ids), doing)

    def _targets(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self._caller.call(
                "ListTargetsByRule",
                f"list the targets of the rule {name}",
                self._client.list_targets_by_rule,
                Rule=name,
                **token,
            )
            found += page["Targets"]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}


def _target_of(found: Mapping[str, Any]) -> RuleTarget:
    further = {name: value for name, value in found.items() if name not in _KNOWN}
    return RuleTarget(
        found["Id"],
        found["Arn"],
        found.get("RoleArn"),
        found.get("Input"),
        json.dumps(further, sort_keys=True) if further else None,
    )


def _as_target(target: RuleTarget) -> dict[str, Any]:
    told = {"Id": target.id, "Arn": target.arn, "RoleArn": target.role_arn, "Input": target.input}
    further = json.loads(target.further) if target.further else {}
    return {name: value for name, value in told.items() if value is not None} | further


def _refuse_failed(answer: Mapping[str, Any], doing: str) -> None:
    """Refuse an answer that tells of failures, which EventBridge calls a success."""
    if answer.get("FailedEntryCount"):
        first = answer["FailedEntries"][0]
        raise PlatformError(f"Could not {doing}: {first.get('ErrorMessage', 'no reason given')}.")
