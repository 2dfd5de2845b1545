"""The AWS clients of one account, whose credentials renew themselves for as long as we run."""

from contextlib import AbstractContextManager
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError, explained

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

    from ops_platform.adapters.cloudwatch import CloudWatchClient
    from ops_platform.adapters.instance_types import Ec2Client
    from ops_platform.settings.accounts import Account


class AccountClients:
    """Makes each client once, when it is first asked for; safe to share between threads."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        # The sensors of an account share this object, and a session makes one client at a time.
        self._lock = RLock()

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client of Simple Queue Service."""
        with self._lock, self._explained():
            return self._session.client("sqs", endpoint_url=self._account.endpoint_url)

    @cached_property
    def step_functions(self) -> "SFNClient":
        """The client of Step Functions."""
        with self._lock, self._explained():
            return self._session.client("stepfunctions", endpoint_url=self._account.endpoint_url)

    @cached_property
    def batch(self) -> "BatchClient":
        """The client of Batch."""
        with self._lock, self._explained():
            return self._session.client("batch", endpoint_url=self._account.endpoint_url)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """The client of CloudWatch Logs."""
        with self._lock, self._explained():
            return self._session.client("logs", endpoint_url=self._account.endpoint_url)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The client of EventBridge."""
        with self._lock, self._explained():
            return self._session.client("events", endpoint_url=self._account.endpoint_url)

    @cached_property
    def ec2(self) -> "Ec2Client":
        """The client of EC2."""
        with self._lock, self._explained():
            client: Ec2Client = self._session.client("ec2", endpoint_url=self._account.endpoint_url)
            return client

    @cached_property
    def ecs(self) -> "ECSClient":
        """The client of ECS, where sandboxes run."""
        with self._lock, self._explained():
            return self._session.client("ecs", endpoint_url=self._account.endpoint_url)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """The client of CloudWatch, which tries once: what is sent twice counts twice."""
        from ops_platform.adapters.aws_session import ONE_ATTEMPT  # noqa: PLC0415 (as below)

        with self._lock, self._explained():
            client: CloudWatchClient = self._session.client(
                "cloudwatch", endpoint_url=self._account.endpoint_url, config=ONE_ATTEMPT
            )
            return client

    @cached_property
    def s3(self) -> "S3Client":
        """The client of S3, where Metaflow keeps its code packages: its own setting goes first."""
        told = self._account.metaflow.settings.get("METAFLOW_S3_ENDPOINT_URL")
        with self._lock, self._explained():
            return self._session.client("s3", endpoint_url=told or self._account.endpoint_url)

    def environment(self) -> dict[str, str]:
        """Return what a process of its own needs to act in the account, for as long as keys last.

        Raises:
            AwsError: There are no credentials, or the role cannot be assumed.
        """
        account = self._account
        with self._lock, self._explained():
            credentials = self._session.get_credentials()
            if credentials is None:
                raise AwsError(
                    f"No AWS credentials for account '{account.name}'.", code="NoCredentialsError"
                )
            keys = credentials.get_frozen_credentials()
        told = {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_DEFAULT_REGION": account.region,
            "AWS_REGION": account.region,
            "AWS_ENDPOINT_URL": account.endpoint_url,
        }
        return {name: value for name, value in told.items() if value}

    @cached_property
    def _session(self) -> "boto3.Session":
        # boto3 takes a fifth of a second to import, which loading the code location must not pay.
        from ops_platform.adapters.aws_session import session  # noqa: PLC0415

        return session(self._account)

    def _explained(self) -> AbstractContextManager[None]:
        return explained(f"use the credentials of account '{self._account.name}'")
