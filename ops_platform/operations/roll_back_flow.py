"""A flow rolled back to a deployment that is on record: definition and schedule, verified."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import deployments, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform.domain.deployers import Snapshot
from ops_platform.domain.deployments import Deployment, judge_drift
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.promotions import Request, Status, What
from ops_platform.operations.one_at_a_time import Turn, once
from ops_platform.operations.production_change import ProductionChange
from ops_platform.operations.put_back import put_back


@dataclass(frozen=True, slots=True)
class Way:
    """What a roll back would go to, and why it cannot; ``obstacles`` is empty if it can."""

    target: Deployment | None
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Rolls flows of one account back; ``clock`` is the ledger's."""

    ledger: Ledger
    production: DeployedMachines
    alerts: AlertPolicy
    clock: Callable[[], datetime]

    def look(self, account: str, machine: str, target: int | None = None) -> Way:
        """Tell what a roll back would go to, and what is in its way; nothing is changed.

        Args:
            account: The account, by its name in the settings.
            machine: The name of the state machine.
            target: The number of a deployment; by default the one before the last.

        Raises:
            PlatformError: There is no such deployment, or AWS cannot be asked.
        """
        with self.ledger.transaction() as tx:
            last = deployments.latest(tx, account, machine)
            wanted = target if target is not None else last.replaced if last else None
            found = deployments.get(tx, wanted) if wanted is not None else None
        if found is None:
            return Way(None, (f"{machine} has no deployment on record before the last one.",))
        if (found.account, found.machine) != (account, machine):
            return Way(found, (f"Deployment {found.id} is one of {found.machine}.",))
        version = self.production.version(found.version_arn)
        if version is None:
            return Way(found, (f"The version {found.version_arn} is gone.",))
        missing = self.production.missing(version)
        return Way(found, tuple(f"It needs {each}, which is gone." for each in missing))

    def target_of(self, request: Request) -> Deployment:
        """Return what a request goes back to, or went back to.

        Raises:
            PlatformError: It cannot be gone back to; the text says what is in the way.
        """
        with self.ledger.transaction() as tx:
            recorded = promotions.get(tx, request.id)
        way = self.look(request.account, request.machine, _chosen(recorded, request))
        is_over = recorded is not None and recorded.status is not Status.RUNNING
        if way.target is None or (way.obstacles and not is_over):
            raise PlatformError(" ".join(way.obstacles))
        return way.target

    def roll_back(self, request: Request) -> Recorded:
        """Roll back, or go on with it; return the record of what became of it.

        Raises:
            PlatformError: Somebody else changes the same machine right now, or the ledger does not
                answer. Whatever else fails is in the record.
        """
        return once(self.ledger, request, self._through)

    def _through(self, turn: Turn) -> None:
        recorded, request = turn.recorded, turn.recorded.request
        way = self.look(request.account, request.machine, _chosen(recorded, request))
        rule = way.target.rule.name if way.target and way.target.rule else None
        change = ProductionChange(
            ledger=self.ledger,
            production=self.production,
            alerts=self.alerts,
            clock=self.clock,
            turn=turn,
            rule=rule or self._rule_of_last(request) or request.machine,
        )
        if way.target is None or way.obstacles:
            change.refuse(" ".join(way.obstacles))
            return
        target = way.target
        if What.CHECKED not in change.done:
            goes = f"It goes to deployment {target.id}, of {target.commit}."
            change.note(What.CHECKED, goes, target=target.id)
        # What drifted is what a roll back mends.
        begun = What.KEPT in change.done and not change.overtaken()
        if begun or (What.KEPT not in change.done and change.admitted(despite_drift=True)):
            change.guarded(lambda kept: self._gone_back(change, target, kept))

    def _rule_of_last(self, request: Request) -> str | None:
        with self.ledger.transaction() as tx:
            past = deployments.history(tx, request.account, request.machine)
        return next((each.rule.name for each in past if each.rule), None)

    def _gone_back(self, change: ProductionChange, target: Deployment, kept: Snapshot) -> None:
        change.begin_changing(kept)
        snapshot = Snapshot(version_arn=target.version_arn, rule=target.rule)
        names = {"machine": target.machine, "rule": change.rule}
        done = put_back(self.production, snapshot, **names)
        change.note(What.DEPLOYED, f"{'; '.join(done) or 'It was so already'}.", done=done)
        machine = self.production.machine(target.machine)
        found = judge_drift(target, machine, self.production.rule(change.rule))
        if machine is None or not found.passed:
            raise PlatformError(found.message)
        change.note(What.VERIFIED, f"{target.machine} is as it was in deployment {target.id}.")
        version = change.publish(machine)
        same = ("flow", "project", "commit", "owner", "production_token")
        told = {name: getattr(target, name) for name in same}
        change.succeed(machine, {"version_arn": version, **told}, self._said(target))
        if change.request.pull_request is None:
            change.release("It is rolled back.")

    def _said(self, target: Deployment) -> str:
        at = msgspec.json.encode(target.deployed_at).decode().strip('"')
        return f"{target.machine} runs {target.commit} again, as deployed at {at}."


def _chosen(recorded: Recorded | None, request: Request) -> int | None:
    """Return the deployment that is meant: of whoever goes on, the one that was gone to at first.

    By then another one may be the last.
    """
    entries = recorded.entries if recorded else ()
    checked = next((each for each in entries if each.what is What.CHECKED), None)
    told = checked.detail["target"] if checked else request.target
    return told if isinstance(told, int) else None
