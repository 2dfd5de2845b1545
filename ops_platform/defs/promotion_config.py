"""What Soteria's jobs are told: the forms that CI fills in, and people in the launchpad."""

from datetime import datetime

import dagster as dg
from pydantic import Field

from ops_platform.domain.candidates import Candidate, Order
from ops_platform.domain.identity import parse_machine_name
from ops_platform.domain.promotions import Kind, Request, request_id


class CandidateConfig(dg.Config):
    """A flow at the head of a pull request."""

    repository: str = Field(description="Its name in [[promotion.repositories]]: acme/flows.")
    pull_request: int = Field(description="Its number.")
    commit: str = Field(description="All 40 digits of its head; another one is refused.")
    flow_path: str = Field(description="From the top of the repository: flows/forecast_demand.py.")

    def candidate(self) -> Candidate:
        """Return it as the operations take it."""
        return Candidate(self.repository, self.pull_request, self.commit, self.flow_path)


class AskedConfig(dg.Config):
    """Who asks for it, and why."""

    actor: str = Field(description="Who asks for it, such as the login of who wrote the comment.")
    reason: str = Field(description="Why, such as the comment itself.")
    request: str = Field(
        description="An id of the asker's own, such as the comment's: the same again changes"
        " nothing more than the first time."
    )


class PromoteConfig(CandidateConfig, AskedConfig):
    """A flow that shall go to production."""

    owner: str | None = Field(
        default=None, description="Whom its alerts mention; by default whom the Staging run names."
    )
    canary: bool = Field(
        default=False, description="Run it once under another name, without its schedule, first."
    )

    def order(self) -> Order:
        """Return it as the operations take it."""
        return Order(
            candidate=self.candidate(),
            actor=self.actor,
            reason=self.reason,
            request=self.request,
            owner=self.owner,
            canary=self.canary,
        )


class RollBackConfig(AskedConfig):
    """A flow that shall be as it was."""

    machine: str = Field(description="The name of its state machine: shop.prod.ForecastDemand.")
    deployment: int | None = Field(
        default=None, description="The number of a deployment; by default the one before the last."
    )
    repository: str | None = Field(default=None, description="Whose pull request asks for it.")
    pull_request: int | None = Field(default=None, description="Its number.")

    def order(self, account: str, now: datetime) -> Request:
        """Return it as the operations take it, for a flow of that account."""
        named = parse_machine_name(self.machine)
        return Request(
            id=request_id(Kind.ROLL_BACK, account, self.machine, self.deployment, self.request),
            kind=Kind.ROLL_BACK,
            account=account,
            machine=self.machine,
            actor=self.actor,
            reason=self.reason,
            requested_at=now,
            project=named.project,
            flow=named.flow,
            repository=self.repository,
            pull_request=self.pull_request,
            target=self.deployment,
        )


class UnlockConfig(dg.Config):
    """A flow that another pull request shall have."""

    machine: str = Field(description="The name of its state machine: shop.prod.ForecastDemand.")
    actor: str = Field(description="Who says so.")
    reason: str = Field(description="Why, for whoever held it to read.")
