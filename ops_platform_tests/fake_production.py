"""Production's Step Functions and EventBridge in memory, with their limits, errors and failures."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.domain.deployed_machines import (
    DeployedMachine,
    MovedError,
    Rule,
    RuleTarget,
    Started,
)
from ops_platform_tests.compiled_flows import CompiledFlow

T = TypeVar("T")
PREFIX = "arn:aws:states:us-east-1:222222222222:stateMachine:"
_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,80}")
_START = datetime(2026, 1, 31, 12, tzinfo=UTC)
_MOST_VERSIONS = 1_000


@dataclass
class _Machine:
    now: DeployedMachine
    versions: dict[str, DeployedMachine] = field(default_factory=dict)
    published: dict[str | None, str] = field(default_factory=dict)


class FakeProduction:
    """An account of its own; fulfils `DeployedMachines`.

    ``fail(operation, …)`` makes a coming call fail, before or after it has taken effect, as a
    network does; the operation "any" is whichever it is.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: _START) -> None:
        self.calls: Counter[str] = Counter()
        self.gone: set[str] = set()
        """What definitions need and is no longer there."""
        self._clock = clock
        self._machines: dict[str, _Machine] = {}
        self._rules: dict[str, Rule] = {}
        self._executions: dict[str, Started] = {}
        self._inputs: dict[str, str] = {}
        self._faults: dict[str, list[tuple[int, BaseException, bool]]] = {}
        self._revisions = 0

    def fail(
        self,
        operation: str,
        error: BaseException | None = None,
        *,
        nth: int = 1,
        after: bool = False,
    ) -> None:
        """Make the nth call of an operation from now fail; ``after`` it took effect."""
        failure = error or AwsError(f"Could not {operation}: no answer.", code="ReadTimeoutError")
        at = self.calls[operation] + nth
        self._faults.setdefault(operation, []).append((at, failure, after))

    def end(self, execution_arn: str, status: str) -> None:
        """Let an execution end."""
        now = self._executions[execution_arn]
        self._executions[execution_arn] = replace(now, status=status, ended_at=self._clock())

    def runs(self) -> list[Started]:
        """Return all executions."""
        return list(self._executions.values())

    def machine(self, name: str) -> DeployedMachine | None:
        """Return the machine of that name."""
        return self._do("machine", lambda: self._of(f"{PREFIX}{name}"))

    def version(self, arn: str) -> DeployedMachine | None:
        """Return a published version."""
        owner = self._machines.get(arn.rpartition(":")[0])
        return self._do("version", lambda: owner.versions.get(arn) if owner else None)

    def names(self) -> list[str]:
        """Return the names of all machines."""
        return self._do("names", lambda: [each.now.name for each in self._machines.values()])

    def publish(self, machine: DeployedMachine, *, description: str) -> str:
        """Publish a version."""
        assert len(description) <= 256

        def effect() -> str:
            found = self._existing(machine.arn)
            if found.now.revision != machine.revision:
                raise MovedError(f"Somebody changed {machine.name} meanwhile.")
            if machine.revision not in found.published:
                if len(found.versions) >= _MOST_VERSIONS:
                    raise AwsError("Too many versions.", code="ServiceQuotaExceededException")
                arn = f"{machine.arn}:{len(found.versions) + 1}"
                found.versions[arn] = replace(found.now, arn=arn)
                found.published[machine.revision] = arn
            return found.published[machine.revision]

        return self._do("publish", effect)

    def create(self, name: str, *, definition: str, role_arn: str) -> str:
        """Create a machine."""

        def effect() -> str:
            if not _NAME.fullmatch(name):
                raise AwsError(f"{name} is no name.", code="InvalidName")
            arn = f"{PREFIX}{name}"
            found = self._machines.get(arn)
            if found and found.now.definition != definition:
                raise AwsError(f"There is {name} already.", code="StateMachineAlreadyExists")
            if not found:
                made = DeployedMachine(
                    arn=arn, name=name, definition=definition, role_arn=role_arn,
                    revision=None, created_at=self._clock(),
                )  # fmt: skip
                self._machines[arn] = _Machine(made)
            return arn

        return self._do("create", effect)

    def log_to(self, name: str, logging: str | None) -> None:
        """Say where a machine's executions log to, which makes no new revision."""
        found = self._existing(f"{PREFIX}{name}")
        found.now = replace(found.now, logging=logging)

    def update(
        self, arn: str, *, definition: str, role_arn: str, logging: str | None = None
    ) -> str | None:
        """Update a machine."""

        def effect() -> str:
            found = self._existing(arn)
            self._revisions += 1
            revision = f"revision-{self._revisions}"
            found.now = replace(
                found.now,
                definition=definition,
                role_arn=role_arn,
                revision=revision,
                logging=logging or found.now.logging,
            )
            return revision

        return self._do("update", effect)

    def delete(self, arn: str) -> None:
        """Delete a machine."""
        self._do("delete", lambda: self._machines.pop(arn, None))

    def rule(self, name: str) -> Rule | None:
        """Return a rule."""
        return self._do("rule", lambda: self._rules.get(name))

    def put_rule(self, rule: Rule) -> None:
        """Put a rule."""
        self._do("put_rule", lambda: self._rules.__setitem__(rule.name, rule))

    def delete_rule(self, name: str) -> None:
        """Delete a rule."""
        self._do("delete_rule", lambda: self._rules.pop(name, None))

    def start(self, machine_arn: str, *, name: str, text: str) -> Started:
        """Start an execution."""

        def effect() -> Started:
            self._existing(machine_arn)
            json.loads(text)
            arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
            if arn not in self._executions:
                self._executions[arn] = Started(arn, "RUNNING", self._clock(), None)
                self._inputs[arn] = text
            return self._executions[arn]

        return self._do("start", effect)

    def execution(self, arn: str) -> Started | None:
        """Return an execution."""
        return self._do("execution", lambda: self._executions.get(arn))

    def stop(self, execution_arn: str, *, cause: str) -> None:
        """Stop an execution."""
        del cause

        def effect() -> None:
            if self._executions[execution_arn].ended_at is None:
                self.end(execution_arn, "ABORTED")

        self._do("stop", effect)

    def missing(self, machine: DeployedMachine) -> list[str]:
        """Return what is gone."""
        return self._do("missing", lambda: sorted(x for x in self.gone if x in machine.definition))

    def _of(self, arn: str) -> DeployedMachine | None:
        found = self._machines.get(arn)
        return found.now if found else None

    def _existing(self, arn: str) -> _Machine:
        if arn not in self._machines:
            raise AwsError(f"There is no {arn}.", code="StateMachineDoesNotExist")
        return self._machines[arn]

    def _do(self, operation: str, effect: Callable[[], T]) -> T:
        due = self.due(operation)
        if due and not due[2]:
            raise due[1]
        answer = effect()
        if due:
            raise due[1]
        return answer

    def due(self, operation: str) -> tuple[int, BaseException, bool] | None:
        """Count a call, and return the failure that was asked for it."""
        found = None
        for name in (operation, "any"):
            self.calls[name] += 1
            faults = self._faults.get(name, [])
            found = found or next((each for each in faults if each[0] == self.calls[name]), None)
        return found


class FakeDeployer:
    """Metaflow's deployment of a flow, as far as production sees it; fulfils `Deployer`.

    What it compiles differs each time, as Metaflow's does.
    """

    role_arn = "arn:aws:iam::222222222222:role/metaflow"

    def __init__(
        self, production: FakeProduction, machine: str, flow: CompiledFlow, schedule: str | None
    ) -> None:
        self.flow = flow
        self.schedule = schedule
        self._production = production
        self._machine = machine

    def prepare(self) -> str:
        """Return the definition."""
        return self._with_failure("prepare", self.flow.text)

    def deploy(self) -> None:
        """Deploy the machine, then the schedule."""
        self._with_failure("deploy", lambda: None)
        told = {"definition": self.flow.text(), "role_arn": self.role_arn}
        found = self._production.machine(self._machine)
        if found is None:
            arn = self._production.create(self._machine, **told)
        else:
            self._production.update(found.arn, **told, logging='{"level": "OFF"}')
            arn = found.arn
        now = self._production.rule(self._machine)
        if self.schedule is not None:
            target = RuleTarget(self._machine, arn, self.role_arn, '{"Parameters": "{}"}')
            self._production.put_rule(
                Rule(
                    name=self._machine,
                    expression=self.schedule,
                    enabled=True,
                    description=None,
                    targets=(target,),
                )
            )
        elif now is not None:
            self._production.put_rule(replace(now, enabled=False))

    def _with_failure(self, operation: str, effect: Callable[[], T]) -> T:
        if due := self._production.due(operation):
            raise due[1]
        return effect()
