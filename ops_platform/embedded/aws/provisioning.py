"""What an account has from its start: roles, queues, tables, buckets, the event forwarding."""

from dataclasses import dataclass
from typing import Any

import boto3

from ops_platform.domain.job_log import BATCH_LOG_GROUP
from ops_platform.embedded.aws.account import (
    EVENT_DEAD_LETTER_QUEUE,
    EVENT_QUEUE,
    FORWARDING_STACK,
    METAFLOW_BUCKET,
    EmbeddedAccount,
)
from ops_platform.settings.edition import QUEUES as PLANNED_QUEUES
from ops_platform.shipped import shipped


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A job queue on a compute environment of its own."""

    name: str
    environment: str
    max_vcpus: int
    instance_types: tuple[str, ...]


QUEUES = tuple(
    QueuePlan(name, f"{name}-spot", max_vcpus, types)
    for name, (max_vcpus, types) in PLANNED_QUEUES.items()
)
DEFAULT_QUEUE = QUEUES[0].name
_FORWARDING = {
    "QueueName": EVENT_QUEUE,
    "DeadLetterQueueName": EVENT_DEAD_LETTER_QUEUE,
    # Nobody at a laptop waits two minutes for what a killed sensor had received.
    "VisibilityTimeoutSeconds": "30",
}
ROLES = ("metaflow", "batch-service", "batch-instance")


class Provisioner:
    """Creates what an account has, through its own API, as a user of AWS would."""

    def __init__(self, account: EmbeddedAccount) -> None:
        self._account = account
        self._session = boto3.Session(region_name=account.region)

    def provision(self, *, owns_datastore: bool) -> None:
        """Create everything."""
        for role in ROLES:
            self._client("iam").create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        self._client("dynamodb").create_table(
            TableName=self._account.dynamodb_table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pathspec", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pathspec", "KeyType": "HASH"}],
        )
        self._client("logs").create_log_group(logGroupName=BATCH_LOG_GROUP)
        if owns_datastore:
            self._client("s3").create_bucket(Bucket=METAFLOW_BUCKET)
        self._forward_events()
        self._create_queues()

    def _client(self, service: str) -> Any:  # noqa: ANN401 — a client per service
        return self._session.client(service, endpoint_url=self._account.endpoint_url)  # type: ignore[call-overload]

    def _forward_events(self) -> None:
        self._client("cloudformation").create_stack(
            StackName=FORWARDING_STACK,
            TemplateBody=shipped("deploy/event-forwarding.yaml").read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in _FORWARDING.items()
            ],
        )

    def _create_queues(self) -> None:
        batch = self._client("batch")
        network = self._network()
        for plan in QUEUES:
            created = batch.create_compute_environment(
                computeEnvironmentName=plan.environment,
                type="MANAGED",
                state="ENABLED",
                serviceRole=self._account.role_arn("batch-service"),
                computeResources=network
                | {
                    "type": "SPOT",
                    "minvCpus": 0,
                    "maxvCpus": plan.max_vcpus,
                    "instanceTypes": list(plan.instance_types),
                },
            )
            order = [{"order": 1, "computeEnvironment": created["computeEnvironmentArn"]}]
            batch.create_job_queue(
                jobQueueName=plan.name, state="ENABLED", priority=1, computeEnvironmentOrder=order
            )

    def _network(self) -> dict[str, object]:
        """Return where instances start: the default network, and a profile."""
        ec2, iam = self._client("ec2"), self._client("iam")
        profile = iam.create_instance_profile(InstanceProfileName="batch-instance")
        return {
            "instanceRole": profile["InstanceProfile"]["Arn"],
            "subnets": [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:3],
            "securityGroupIds": [
                g["GroupId"]
                for g in ec2.describe_security_groups(
                    Filters=[{"Name": "group-name", "Values": ["default"]}]
                )["SecurityGroups"]
            ],
        }
