"""A state machine that somebody deployed by hand taken over: what runs becomes its baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.deployed_machines import DeployedMachine, DeployedMachines
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.machine_definitions import DefinitionError, read_machine
from ops_platform.domain.promotions import Request, What
from ops_platform.domain.provenance import Provenance, provenance
from ops_platform.operations.one_at_a_time import Turn, once
from ops_platform.operations.production_change import ProductionChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Takes state machines of one account over; production itself stays as it is."""

    ledger: Ledger
    production: DeployedMachines
    alerts: AlertPolicy
    clock: Callable[[], datetime]

    def adopt(self, request: Request, *, rule: str) -> Recorded:
        """Record what runs as a deployment of its own; return what became of it.

        Args:
            request: Which machine, by whose word.
            rule: The name that its rule has or would have.

        Raises:
            PlatformError: Somebody changes the machine right now, or AWS or the ledger do not
                answer.
        """
        return once(self.ledger, request, lambda turn: self._through(turn, rule))

    def _through(self, turn: Turn, rule: str) -> None:
        change = ProductionChange(
            ledger=self.ledger,
            production=self.production,
            alerts=self.alerts,
            clock=self.clock,
            turn=turn,
            rule=rule,
        )
        try:
            self._adopted(change)
        except PlatformError as error:
            change.note(What.FAILED, f"{error} Production was not changed.")

    def _adopted(self, change: ProductionChange) -> None:
        name = change.request.machine
        machine = self.production.machine(name)
        if machine is None:
            change.refuse(f"There is no state machine {name}.")
            return
        told = _provenance_of(machine)
        if told is None:
            change.refuse(f"{name} was not deployed by Metaflow.")
            return
        if change.drift().reason == "as-deployed":
            change.refuse(f"{name} is as we deployed it; there is nothing to adopt.")
            return
        found: dict[str, object] = {
            "version_arn": change.publish(machine),
            "flow": told.flow,
            "commit": told.commit,
            "owner": change.request.owner or told.owner,
            "production_token": told.production_token,
        }
        change.succeed(machine, found, f"{name} is adopted as it runs.")


def _provenance_of(machine: DeployedMachine) -> Provenance | None:
    try:
        return provenance(read_machine(machine.definition))
    except DefinitionError:
        return None
