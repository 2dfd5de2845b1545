"""The runs that a promotion starts in production: a canary, and the first of the new machine."""

from collections.abc import Callable
from dataclasses import dataclass

from ops_platform.domain.deployed_machines import DeployedMachines, Started
from ops_platform.domain.deployers import PromotionPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.promotions import Request

_INPUT = '{"Parameters":"{}"}'  # of a run that is given no parameters: see Metaflow's `trigger`
_LONGEST_CANARY = 80 - len("-canary-12345678")


@dataclass(frozen=True, slots=True)
class ProductionRuns:
    """Starts runs, and waits for them as the policy says."""

    production: DeployedMachines
    policy: PromotionPolicy
    sleep: Callable[[float], None]

    def start(self, machine_arn: str, *, request: Request) -> Started:
        """Start the run of a promotion; its name is the same each time, so there is one."""
        number = f"pr{request.pull_request}-" if request.pull_request else ""
        name = f"{number}{(request.commit or '')[:8]}-{request.id[-8:]}"
        return self.production.start(machine_arn, name=name, text=_INPUT)

    def canary(self, request: Request, definition: str, role_arn: str) -> str:
        """Run a definition once under another name, without a schedule; return the execution's ARN.

        Raises:
            PlatformError: It did not succeed.
        """
        name = f"{request.machine[:_LONGEST_CANARY]}-canary-{request.id[-8:]}"
        try:
            # Of whoever was killed meanwhile: its run is of the same commit, and may be going on.
            left = self.production.machine(name)
            arn = (
                left.arn
                if left
                else self.production.create(name, definition=definition, role_arn=role_arn)
            )
            started = self.start(arn, request=request)
            self.succeeded(started, "The canary")
        finally:
            self._deleted(name)
        return started.arn

    def _deleted(self, name: str) -> None:
        made = self.production.machine(name)
        if made is not None:
            self.production.delete(made.arn)

    def succeeded(self, started: Started, what: str) -> None:
        """Wait for the end of a run; one that takes too long is stopped.

        Raises:
            PlatformError: It did not succeed.
        """
        policy, waited = self.policy, 0.0
        run: Started | None = started
        while run is not None and run.ended_at is None:
            if waited >= policy.run_seconds:
                cause = f"It took longer than {policy.run_seconds:g} s."
                self.production.stop(started.arn, cause=cause)
                raise PlatformError(f"{what}, {started.arn}, was stopped. {cause}")
            self.sleep(policy.poll_seconds)
            waited += policy.poll_seconds
            run = self.production.execution(started.arn)
        status = run.status if run else "gone"
        if status != "SUCCEEDED":
            raise PlatformError(f"{what}, {started.arn}, did not succeed: it is {status}.")
