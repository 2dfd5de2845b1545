"""What flows are checked and promoted with, as the settings have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.deployed_machines import AwsDeployedMachines
from ops_platform.adapters.ecs_sandbox import EcsSandbox, RunTask
from ops_platform.adapters.flow_compiler import FlowCompiler
from ops_platform.adapters.flow_environments import FlowEnvironments
from ops_platform.adapters.git import GitRepositories, Remote
from ops_platform.adapters.github import GitHubPullRequests
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queue_state import registered_sizes
from ops_platform.adapters.metaflow_deployer import DeployedFlow, MetaflowDeployer
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.adapters.staging_evidence import StagingEvidence
from ops_platform.domain.candidates import CandidateRules
from ops_platform.domain.deployers import PromotionPolicy, WaitFor
from ops_platform.domain.pull_requests import ReviewPolicy
from ops_platform.domain.sandboxes import Isolation, Sandbox
from ops_platform.operations.check_candidate import Capacity, CheckTools
from ops_platform.operations.policy import account_links, alert_policy
from ops_platform.operations.promotion_stages import PromotionTools
from ops_platform.operations.roll_back_flow import RollBack
from ops_platform.settings.accounts import Account
from ops_platform.settings.model import Settings

_FOLDER, _ENVIRONMENTS = "promotion", "environments"


def candidate_rules(settings: Settings) -> CandidateRules:
    """Return what candidates are held against."""
    promotion, production = settings.promotion, settings.of_stage("production")
    review = promotion.review
    return CandidateRules(
        account=production.name,
        conventions=promotion.names.conventions(),
        review=ReviewPolicy(
            approvals=review.approvals,
            up_to_date=review.up_to_date,
            required_checks=review.required_checks,
            own_checks=review.own_checks,
            bases=review.bases,
            by_committers=review.by_committers,
        ),
        max_age=timedelta(days=promotion.proof_days),
        isolation=Isolation(promotion.isolation),
        seconds=promotion.check_seconds,
        metaflow=production.metaflow.settings,
        projects={each.name: each.projects for each in promotion.repositories if each.projects},
        pull_refs={each.name: each.pull_request_ref for each in promotion.repositories},
    )


def promotion_policy(settings: Settings) -> PromotionPolicy:
    """Return how promotions are made."""
    promotion = settings.promotion
    return PromotionPolicy(
        wait_for=WaitFor(promotion.wait_for), run_seconds=promotion.run_minutes * 60.0
    )


def promoter_account(settings: Settings) -> Account:
    """Return the production account as it is reached by what changes it."""
    account, promotion = settings.of_stage("production"), settings.promotion
    if promotion.role_arn is None:
        return account
    role = {"role_arn": promotion.role_arn, "external_id": promotion.external_id}
    return account.model_copy(update={**role, "profile": None, "endpoint_url": None})


@dataclass(frozen=True)
class Promotions:
    """Makes the tools for one code location; nothing is connected before it is used.

    ``environ`` holds the tokens that the settings name.
    """

    settings: Settings
    environ: Mapping[str, str]

    @property
    def account(self) -> str:
        """The name of the production account."""
        return self.settings.of_stage("production").name

    def tools(self, ledger: Ledger, run_task: RunTask) -> PromotionTools:
        """Return what candidates are promoted with.

        ``run_task`` runs an ECS task, where the settings name one for a sandbox.
        """
        settings = self.settings
        return PromotionTools(
            checks=self.check_tools(ledger, run_task),
            rules=candidate_rules(settings),
            policy=promotion_policy(settings),
            alerts=alert_policy(settings),
            canary=settings.promotion.canary,
            deployer=self.deployer,
        )

    def check_tools(self, ledger: Ledger, run_task: RunTask) -> CheckTools:
        """Return what candidates are checked with."""
        settings = self.settings
        folder = settings.state_dir.absolute() / _FOLDER
        sandbox = self._sandbox(folder / _ENVIRONMENTS, run_task)
        return CheckTools(
            ledger=ledger,
            pulls=self.pulls(),
            repositories=GitRepositories(self._remotes(), folder / "checkouts"),
            environments=FlowEnvironments(folder / _ENVIRONMENTS),
            compiler=FlowCompiler(sandbox),
            isolation=sandbox.isolation,
            capacity=lambda: self._capacity(ledger),
            staging=self._staging(),
            production=self.production(),
            clock=ledger.now,
        )

    def pulls(self) -> GitHubPullRequests:
        """Return the pull requests of the code host."""
        github = self.settings.promotion.github
        return GitHubPullRequests(github.api_url, self.environ.get(github.token_env))

    def production(self) -> AwsDeployedMachines:
        """Return what runs in production, with the right to change it."""
        account = promoter_account(self.settings)
        return AwsDeployedMachines(
            self._promoter, region=account.region, aws_account_id=account.aws_account_id
        )

    def roll_back(self, ledger: Ledger) -> RollBack:
        """Return what rolls flows back."""
        alerts = alert_policy(self.settings)
        return RollBack(
            ledger=ledger, production=self.production(), alerts=alerts, clock=ledger.now
        )

    def deployer(self, flow: DeployedFlow) -> MetaflowDeployer:
        """Return the deployment of a flow, with the promoter's credentials for that alone."""
        account = promoter_account(self.settings)
        ours = {
            "METAFLOW_USER": self.settings.promotion.deploy_user,
            "METAFLOW_PYLINT": "0",  # the checks asked it already
        }
        told = account.metaflow.settings
        return MetaflowDeployer(flow, {**self._promoter.environment(), **told, **ours})

    @property
    def sandbox_clients(self) -> AccountClients:
        """The clients of the account in which ECS tasks of a sandbox run."""
        told = self.settings.promotion.sandbox
        named = told.account if told else None
        account = self.settings.account(named) if named else self.settings.of_stage("staging")
        return AccountClients(account)

    def _sandbox(self, environments: Path, run_task: RunTask) -> Sandbox:
        told = self.settings.promotion.sandbox
        if told is None:
            return LocalSandbox()
        client = self.sandbox_clients.s3
        return EcsSandbox(client, told.bucket, run_task, environments=environments)

    @cached_property
    def _promoter(self) -> AccountClients:
        return AccountClients(promoter_account(self.settings))

    def _remotes(self) -> dict[str, Remote]:
        return {
            each.name: Remote(
                each.url, self.environ.get(each.token_env) if each.token_env else None
            )
            for each in self.settings.promotion.repositories
        }

    def _capacity(self, ledger: Ledger) -> Capacity:
        account = self.settings.of_stage("production")
        clients = AccountClients(account)
        types = Ec2InstanceTypes(clients.ec2)
        with ledger.transaction() as tx:
            registered = registered_sizes(tx, account.name)
        queues = AwsBatchQueues(
            clients.batch, account=account.name, types=types, registered=registered
        )
        return Capacity(queues.queues(), types.all())

    def _staging(self) -> StagingEvidence:
        account = self.settings.of_stage("staging")
        prefix = f"arn:aws:states:{account.region}:{account.aws_account_id}:stateMachine:"
        links = account_links(self.settings, account.name)
        return StagingEvidence(AccountClients(account), machine_prefix=prefix, links=links)
