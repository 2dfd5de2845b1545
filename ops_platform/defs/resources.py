"""What sensors and jobs are given: the ledger, the accounts, Slack."""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_slack import SlackResource
from slack_sdk import WebClient

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import explained
from ops_platform.adapters.batch import AwsBatchJobs
from ops_platform.adapters.cloudwatch import CloudWatch
from ops_platform.adapters.histories import StepFunctionsHistories
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.logs import CloudWatchJobLogs
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.defs.promotion import stages_resource
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.ports import (
    BatchJobs,
    EventQueue,
    ExecutionHistory,
    Executions,
    JobLogs,
    Schedules,
    Starts,
    StateMachines,
)
from ops_platform.operations.clean_account import Tools, tools_of
from ops_platform.operations.promotion_tools import Promotions
from ops_platform.settings.model import Settings
from ops_platform.settings.problems import Problem, SettingsError

SLACK_TIMEOUT_SECONDS = 10


class Slack(SlackResource):
    """Slack without retries of its own, since a retry can post twice; the outbox retries.

    ``token_secret`` names a secret of AWS Secrets Manager that holds the token, and is read at
    each use, so that a rotated token is taken up.
    """

    base_url: str
    token_secret: str | None = None

    def get_client(self) -> WebClient:
        """Return a client that tries once and gives up soon."""
        return WebClient(
            token=self.read_secret() if self.token_secret else self.token,
            base_url=self.base_url,
            timeout=SLACK_TIMEOUT_SECONDS,
            retry_handlers=[],
        )

    def notifier(self) -> SlackNotifier:
        """Return Slack as the operations see it."""
        return SlackNotifier(self.get_client())

    def read_secret(self) -> str:
        """Return the token that Secrets Manager keeps, as the secret's whole text.

        Raises:
            PlatformError: It cannot be read, or is no token.
        """
        # dagster_aws imports boto3, which loading the code location must not pay for.
        from dagster_aws.secretsmanager import SecretsManagerResource  # noqa: PLC0415

        name = self.token_secret or ""
        # An ARN names its region; a bare name is looked for in the region of the environment.
        region = name.split(":")[3] if name.startswith("arn:") else None
        with explained(f"read the secret {name}"):
            client = SecretsManagerResource(region_name=region).get_client()
            token = str(client.get_secret_value(SecretId=name).get("SecretString", ""))
        if not token.startswith("xox"):
            raise PlatformError(
                f"The secret {name} is no Slack token. Its whole text has to be the bot token."
            )
        return token


class Accounts:
    """What is asked of each AWS account, its clients made when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients = {each.name: AccountClients(each) for each in settings.accounts}

    def queue(self, name: str) -> EventQueue:
        """Return the queue that the account's events are forwarded into."""
        url = self._settings.account(name).event_queue_url
        if url is None:
            raise SettingsError([Problem(f"accounts.{name}.event_queue_url", "is not set")])
        return SqsEventQueue(self._clients[name].sqs, url)

    def machines(self, name: str) -> StateMachines:
        """Return the account's state machines."""
        return self.executions(name)

    def executions(self, name: str) -> Executions:
        """Return what Step Functions tells of the account's executions."""
        return StepFunctions(self._clients[name].step_functions)

    def starts(self, name: str) -> Starts:
        """Return what Step Functions tells of when the account's runs started."""
        return StepFunctions(self._clients[name].step_functions)

    def schedules(self, name: str) -> Schedules:
        """Return the rules that start the account's state machines."""
        return EventBridgeSchedules(self._clients[name].events)

    def histories(self, name: str) -> ExecutionHistory:
        """Return the histories of the account's executions."""
        return StepFunctionsHistories(self._clients[name].step_functions)

    def batch_jobs(self, name: str) -> BatchJobs:
        """Return what Batch tells of the account's jobs."""
        return AwsBatchJobs(self._clients[name].batch)

    def stale_job_tools(self, name: str, ledger: Ledger) -> Tools:
        """Return what the account is cleaned of stale jobs with."""
        return tools_of(name, self._clients[name], ledger)

    def logs(self, name: str) -> JobLogs:
        """Return the logs of the account's jobs."""
        return CloudWatchJobLogs(self._clients[name].logs)

    def cloudwatch(self, name: str) -> CloudWatch:
        """Return where the account keeps dashboards, and takes metrics."""
        return CloudWatch(self._clients[name].cloudwatch)


def resources(settings: Settings) -> Mapping[str, Any]:
    """Return the resources by name; nothing is connected yet."""
    return {
        "ledger": Ledger(settings.require_database_url()),
        "accounts": Accounts(settings),
        "slack": Slack(
            token=_token(settings),
            token_secret=settings.slack.token_secret,
            base_url=settings.slack.base_url,
        ),
        "promotions": Promotions(settings, os.environ),
        "stages": stages_resource,
    }


def _token(settings: Settings) -> str:
    if settings.edition == "embedded":
        return settings.slack.token.get_secret_value() if settings.slack.token else ""
    # Dagster asks for it in every run of an asset, also where nothing is ever sent.
    sends = any(account.alerts == "send" for account in settings.accounts)
    if settings.slack.token_secret or not sends:
        return ""
    return dg.EnvVar(settings.slack.token_env)  # resolved at use, and shown only by its name
