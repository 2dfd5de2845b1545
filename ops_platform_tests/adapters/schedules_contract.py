"""What every reader of schedules promises, whether fake, emulator or EventBridge."""

from abc import ABC, abstractmethod
from typing import Protocol

import pytest

from ops_platform.domain.ports import ScheduleRule, Schedules

DAILY = "cron(0 0 * * ? *)"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:TrainFlow"
OTHER = "arn:aws:states:eu-west-1:123456789012:stateMachine:ScoreFlow"


class SchedulesWorld(Protocol):
    """An account's EventBridge for one test; names are made unique by the world."""

    @property
    def schedules(self) -> Schedules:
        """The rules as the platform sees them."""
        ...

    def schedule(self, name: str, expression: str, *, machine: str = MACHINE) -> str:
        """Have a rule start a state machine, as Metaflow does; return the rule's ARN."""
        ...

    def listen(self, name: str, *, machine: str = MACHINE) -> None:
        """Have a rule start a state machine when some event comes."""
        ...

    def disable(self, name: str) -> None:
        """Disable a rule, as Metaflow does with a flow whose schedule is taken away."""
        ...

    def delete(self, name: str) -> None:
        """Delete a rule, as Metaflow does with the flow."""
        ...


class SchedulesContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def world(self) -> SchedulesWorld:
        """Return the world of one test."""

    def test_a_rule_tells_its_expression(self, world: SchedulesWorld) -> None:
        """It is enabled from the start."""
        arn = world.schedule("daily", DAILY)

        assert world.schedules.rules(MACHINE) == [
            ScheduleRule(arn=arn, expression=DAILY, enabled=True)
        ]

    def test_a_machine_without_a_rule_has_none(self, world: SchedulesWorld) -> None:
        """Rules of other machines are not its own."""
        world.schedule("daily", DAILY, machine=OTHER)

        assert world.schedules.rules(MACHINE) == []

    def test_a_rule_that_was_disabled_says_so(self, world: SchedulesWorld) -> None:
        """It is still there."""
        arn = world.schedule("daily", DAILY)
        world.disable("daily")

        assert world.schedules.rules(MACHINE) == [
            ScheduleRule(arn=arn, expression=DAILY, enabled=False)
        ]

    def test_a_rule_that_was_written_anew_has_the_new_expression(
        self, world: SchedulesWorld
    ) -> None:
        """Deploying again overwrites the rule, and enables it."""
        world.schedule("daily", DAILY)
        world.disable("daily")
        arn = world.schedule("daily", "rate(1 hour)")

        assert world.schedules.rules(MACHINE) == [
            ScheduleRule(arn=arn, expression="rate(1 hour)", enabled=True)
        ]

    def test_a_deleted_rule_is_gone(self, world: SchedulesWorld) -> None:
        """There is none left."""
        world.schedule("daily", DAILY)
        world.delete("daily")

        assert world.schedules.rules(MACHINE) == []

    def test_several_rules_come_in_the_order_of_their_arns(self, world: SchedulesWorld) -> None:
        """In whatever order they were made."""
        late, early = world.schedule("b", DAILY), world.schedule("a", "rate(1 hour)")

        assert [rule.arn for rule in world.schedules.rules(MACHINE)] == [early, late]

    def test_a_rule_that_waits_for_events_is_no_schedule(self, world: SchedulesWorld) -> None:
        """Nobody can tell when its event should come."""
        world.listen("on-upload")

        assert world.schedules.rules(MACHINE) == []
