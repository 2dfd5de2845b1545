"""The promises of a reader of schedules, kept by the fake and by the adapter."""

import dataclasses
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.domain.ports import ScheduleRule, Schedules
from ops_platform_tests.adapters.schedules_contract import MACHINE, SchedulesContract
from ops_platform_tests.fakes import FakeSchedules

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class FakeSchedulesWorld:
    """The fake, rebuilt with each change."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[str, ScheduleRule]] = {}

    @property
    def schedules(self) -> FakeSchedules:
        """The rules as the platform sees them."""
        rules: dict[str, list[ScheduleRule]] = {}
        for machine, rule in self._rules.values():
            rules.setdefault(machine, []).append(rule)
        return FakeSchedules(rules)

    def schedule(self, name: str, expression: str, *, machine: str = MACHINE) -> str:
        """Have a rule start a state machine; return the rule's ARN."""
        arn = f"arn:aws:events:eu-west-1:123456789012:rule/{name}"
        self._rules[name] = machine, ScheduleRule(arn, expression, enabled=True)
        return arn

    def listen(self, name: str, *, machine: str = MACHINE) -> None:
        """Have nothing: a rule without an expression is none to the platform."""

    def disable(self, name: str) -> None:
        """Disable a rule."""
        machine, rule = self._rules[name]
        self._rules[name] = machine, dataclasses.replace(rule, enabled=False)

    def delete(self, name: str) -> None:
        """Delete a rule."""
        del self._rules[name]


class EventBridgeWorld:
    """An account's EventBridge, with machines and rules that no other test has."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client
        self._unique = uuid4().hex[:12]

    @property
    def schedules(self) -> Schedules:
        """The rules as the platform sees them."""
        return _Within(EventBridgeSchedules(self._client), self._unique)

    def schedule(self, name: str, expression: str, *, machine: str = MACHINE) -> str:
        """Have a rule start a state machine, as Metaflow does; return the rule's ARN."""
        arn = self._client.put_rule(
            Name=f"{name}-{self._unique}", ScheduleExpression=expression, State="ENABLED"
        )["RuleArn"]
        self._target(name, machine)
        return arn

    def listen(self, name: str, *, machine: str = MACHINE) -> None:
        """Have a rule start a state machine when some event comes."""
        pattern = json.dumps({"source": ["contract"]})
        self._client.put_rule(Name=f"{name}-{self._unique}", EventPattern=pattern)
        self._target(name, machine)

    def disable(self, name: str) -> None:
        """Disable a rule."""
        self._client.disable_rule(Name=f"{name}-{self._unique}")

    def delete(self, name: str) -> None:
        """Delete a rule and its target."""
        rule = f"{name}-{self._unique}"
        self._client.remove_targets(Rule=rule, Ids=[rule])
        self._client.delete_rule(Name=rule)

    def _target(self, name: str, machine: str) -> None:
        rule = f"{name}-{self._unique}"
        target = f"{machine}-{self._unique}"
        role = "arn:aws:iam::123456789012:role/contract"
        self._client.put_targets(
            Rule=rule, Targets=[{"Id": rule, "Arn": target, "RoleArn": role, "Input": "{}"}]
        )


class _Within:
    """The machines of one test, which have a suffix in the account."""

    def __init__(self, schedules: EventBridgeSchedules, unique: str) -> None:
        self._schedules = schedules
        self._unique = unique

    def rules(self, machine_arn: str) -> list[ScheduleRule]:
        """Return the rules of the machine that only this test has."""
        return self._schedules.rules(f"{machine_arn}-{self._unique}")


class TestFakeSchedules(SchedulesContract):
    """The fake cannot lie."""

    @pytest.fixture
    def world(self) -> FakeSchedulesWorld:
        """Return a fresh fake."""
        return FakeSchedulesWorld()


class TestEmulatedSchedules(SchedulesContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def world(self, emulated: AccountClients) -> EventBridgeWorld:
        """Return the emulator's account."""
        return EventBridgeWorld(emulated.events)
