"""The AWS accounts that the platform watches."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ops_platform.settings.fields import (
    AccountName,
    Allowed,
    AwsAccountId,
    Channel,
    Region,
    RoleArn,
    Table,
    Url,
    Word,
)

MetaflowName = Annotated[str, Field(pattern=r"\AMETAFLOW_[A-Z0-9_]+\Z")]
MetaflowValue = Annotated[str, Allowed("the value of a setting of Metaflow's")]


class MetaflowSettings(Table):
    """What Metaflow is told in this account.

    ``settings`` are its own, such as METAFLOW_SFN_IAM_ROLE. They go into sandboxes too, so none of
    them is a secret.
    """

    ui_url: Url | None = None
    settings: Annotated[
        Mapping[MetaflowName, MetaflowValue], Allowed("a table of METAFLOW_ settings")
    ] = Field(default_factory=dict)


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
    # Production unless it is said, since that is where silence costs more than noise.
    stage: Literal["production", "staging"] = "production"
    alerts: Literal["send", "observe"] = "send"
    # A new account looks on until somebody has seen what would be cancelled.
    stale_jobs: Literal["observe", "enforce"] = "observe"
    # By default as the stage says: in staging whoever runs a flow by hand sees it fail.
    alert_on_interactive_runs: bool | None = None
    slack_channel: Channel | None = None
    metaflow: MetaflowSettings = Field(default_factory=MetaflowSettings)

    @property
    def tells_interactive(self) -> bool:
        """Whether failures of runs that somebody started by hand are alerted."""
        if self.alert_on_interactive_runs is not None:
            return self.alert_on_interactive_runs
        return self.stage == "production"
