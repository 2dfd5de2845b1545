"""What everybody promises who changes production, whether fake, emulator or AWS."""

from abc import ABC, abstractmethod
from uuid import uuid4

import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.deployed_machines import (
    DeployedMachine,
    DeployedMachines,
    MovedError,
    Rule,
    RuleTarget,
)

ROLE = "arn:aws:iam::222222222222:role/metaflow"
# One that waits, so that an execution is still there to be looked at.
WAITS = '{"StartAt":"a","States":{"a":{"Type":"Wait","Seconds":60,"End":true}}}'
PASSES = '{"StartAt":"a","States":{"a":{"Type":"Pass","End":true}}}'


def deployed(production: DeployedMachines, definition: str = WAITS) -> DeployedMachine:
    """Create a machine and return it as it is."""
    name = f"ops-platform-contract.prod.F{uuid4().hex[:12]}"
    production.create(name, definition=definition, role_arn=ROLE)
    return looked_at(production, name)


def looked_at(production: DeployedMachines, name: str) -> DeployedMachine:
    """Return a machine that is there."""
    found = production.machine(name)
    assert found is not None
    return found


def a_rule(machine: DeployedMachine, **changes: object) -> Rule:
    """Return a schedule of a machine."""
    target = RuleTarget(machine.name, machine.arn, ROLE, '{"Parameters": "{}"}')
    told = {
        "name": machine.name[-60:],
        "expression": "cron(0 0 * * ? *)",
        "enabled": True,
        "description": "A flow of Metaflow's.",
        "targets": (target,),
        **changes,
    }
    return Rule(**told)  # type: ignore[arg-type]


class DeployedMachinesContract(ABC):
    """The tests; a subclass says in which world they run."""

    @pytest.fixture
    @abstractmethod
    def production(self) -> DeployedMachines:
        """Return the account of one test."""

    def test_what_is_not_there_is_none(self, production: DeployedMachines) -> None:
        """Neither machine, version, rule nor execution is an error."""
        machine = deployed(production)
        assert production.machine("no-such-machine") is None
        assert production.version(f"{machine.arn}:7") is None
        assert production.rule("no-such-rule") is None
        arn = machine.arn.replace(":stateMachine:", ":execution:")
        assert production.execution(f"{arn}:none") is None
        production.delete_rule("no-such-rule")

    def test_a_machine_is_read_as_it_was_made(self, production: DeployedMachines) -> None:
        """It has no revision until it is updated, and each update gives it another one."""
        machine = deployed(production)
        assert (machine.definition, machine.role_arn, machine.revision) == (WAITS, ROLE, None)
        assert machine.name in production.names()
        first = production.update(machine.arn, definition=PASSES, role_arn=ROLE)
        changed = looked_at(production, machine.name)
        assert (changed.definition, changed.revision) == (PASSES, first)
        assert production.update(machine.arn, definition=WAITS, role_arn=ROLE) != first

    def test_where_it_logs_to_is_put_back(self, production: DeployedMachines) -> None:
        """As it was read; without it nothing of that changes."""
        machine = deployed(production)
        told = {"definition": WAITS, "role_arn": ROLE}
        logged = '{"includeExecutionData": false, "level": "ERROR"}'
        production.update(machine.arn, **told, logging=logged)
        assert looked_at(production, machine.name).logging == logged
        production.update(machine.arn, **told)
        assert looked_at(production, machine.name).logging == logged

    def test_a_machine_is_created_once(self, production: DeployedMachines) -> None:
        """The same again is that one; another one of that name is refused, and not dropped."""
        machine = deployed(production)
        told = {"definition": WAITS, "role_arn": ROLE}
        assert production.create(machine.name, **told) == machine.arn
        with pytest.raises(AwsError) as refused:
            production.create(machine.name, definition=PASSES, role_arn=ROLE)
        assert refused.value.code == "StateMachineAlreadyExists"
        assert looked_at(production, machine.name) == machine

    def test_a_version_stays_as_it_was(self, production: DeployedMachines) -> None:
        """Whatever becomes of the machine."""
        machine = deployed(production)
        arn = production.publish(machine, description="before")
        production.update(machine.arn, definition=PASSES, role_arn=ROLE)
        found = production.version(arn)
        assert found is not None
        assert (found.definition, found.role_arn) == (WAITS, ROLE)

    def test_one_revision_has_one_version(self, production: DeployedMachines) -> None:
        """However often it is published."""
        machine = deployed(production)
        first = production.publish(machine, description="one")
        assert production.publish(machine, description="two") == first
        production.update(machine.arn, definition=PASSES, role_arn=ROLE)
        changed = looked_at(production, machine.name)
        assert production.publish(changed, description="three") != first

    def test_a_revision_that_is_over_is_not_published(self, production: DeployedMachines) -> None:
        """Somebody changed the machine since it was looked at."""
        machine = deployed(production)
        production.update(machine.arn, definition=PASSES, role_arn=ROLE)
        with pytest.raises(MovedError, match=r"changed .* meanwhile"):
            production.publish(machine, description="late")

    def test_a_deleted_machine_is_gone_with_its_versions(
        self, production: DeployedMachines
    ) -> None:
        """And deleting it once more is no error."""
        machine = deployed(production)
        version = production.publish(machine, description="before")
        production.delete(machine.arn)
        production.delete(machine.arn)
        assert production.machine(machine.name) is None
        assert production.version(version) is None

    @pytest.mark.parametrize("enabled", [True, False])
    def test_a_rule_is_as_it_was_put(self, production: DeployedMachines, *, enabled: bool) -> None:
        """Enabled or not, with what it hands on."""
        rule = a_rule(deployed(production), enabled=enabled)
        production.put_rule(rule)
        assert production.rule(rule.name) == rule

    def test_a_rule_is_made_to_be_as_it_was(self, production: DeployedMachines) -> None:
        """Expression, state, and targets: none is left over from what it was meanwhile."""
        machine = deployed(production)
        before = a_rule(machine)
        production.put_rule(before)
        other = RuleTarget("other", machine.arn, ROLE, "{}")
        production.put_rule(
            a_rule(machine, expression="rate(5 minutes)", enabled=False, targets=(other,))
        )
        production.put_rule(before)
        assert production.rule(before.name) == before

    def test_a_deleted_rule_is_gone(self, production: DeployedMachines) -> None:
        """With its targets, without which EventBridge would not let it go."""
        rule = a_rule(deployed(production))
        production.put_rule(rule)
        production.delete_rule(rule.name)
        assert production.rule(rule.name) is None

    def test_one_name_starts_one_execution(self, production: DeployedMachines) -> None:
        """Whether it still runs or has ended."""
        machine = deployed(production)
        first = production.start(machine.arn, name="pr-12", text='{"Parameters":"{}"}')
        again = production.start(machine.arn, name="pr-12", text='{"Parameters":"{}"}')
        assert (first.arn, first.status) == (again.arn, again.status)
        assert first.status == "RUNNING"
        production.stop(first.arn, cause="over")
        after = production.start(machine.arn, name="pr-12", text='{"Parameters":"{}"}')
        assert (after.arn, after.status) == (first.arn, "ABORTED")
        assert after.ended_at is not None

    def test_a_stop_of_what_has_ended_is_no_error(self, production: DeployedMachines) -> None:
        """It stays as it ended."""
        machine = deployed(production)
        started = production.start(machine.arn, name="pr-13", text="{}")
        production.stop(started.arn, cause="over")
        production.stop(started.arn, cause="once more")
        found = production.execution(started.arn)
        assert found is not None
        assert found.status == "ABORTED"
