"""The AWS accounts that the platform watches."""

from typing import Literal

from pydantic import Field

from ops_platform.settings.fields import (
    AccountName,
    AwsAccountId,
    Channel,
    Region,
    RoleArn,
    Table,
    Url,
    Word,
)


class MetaflowSettings(Table):
    """What Metaflow is told in this account."""

    ui_url: Url | None = None


class Account(Table):
    """One AWS account in one region, and how it is reached.

    At most one of ``role_arn``, ``profile`` and ``endpoint_url`` is set; without any of them
    the platform's own AWS credentials are used.
    """

    name: AccountName
    aws_account_id: AwsAccountId
    region: Region
    role_arn: RoleArn | None = None
    external_id: Word | None = None
    profile: Word | None = None
    endpoint_url: Url | None = None
    # None only in the embedded edition while it is not up; a settings file must name the queue.
    event_queue_url: Url | None = None
    alerts: Literal["send", "observe"] = "send"
    slack_channel: Channel | None = None
    metaflow: MetaflowSettings = Field(default_factory=MetaflowSettings)
