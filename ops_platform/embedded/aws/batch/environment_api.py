"""The HTTP API of AWS Batch for compute environments, in the place of moto's."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from moto.batch.exceptions import ClientException
from moto.batch.models import batch_backends
from moto.iam.exceptions import NotFoundException

from ops_platform.embedded.aws.batch.answers import Body, answer, described, required, state_of
from ops_platform.embedded.aws.batch.compute import (
    HEALTHY,
    NOT_AUTHORIZED,
    ComputeEnvironment,
)
from ops_platform.embedded.aws.batch.fleet import Ec2, Fleet
from ops_platform.embedded.aws.batch.instance_types import UnknownInstanceTypeError, types_named
from ops_platform.embedded.aws.batch.model import JsonObject
from ops_platform.embedded.aws.batch.scheduler import Scheduler
from ops_platform.embedded.aws.batch.sizes import InstanceType
from ops_platform.embedded.aws.gaps import Gap, Moto

_RESPONSE = "moto.batch.responses:BatchResponse"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_EC2_TYPES = frozenset({"EC2", "SPOT"})


class EnvironmentApi:
    """Answers the requests about compute environments from our scheduler."""

    def __init__(self, scheduler: Scheduler, ec2: Ec2, account_id: str, region: str) -> None:
        self._scheduler = scheduler
        self._environments = scheduler.registry.environments
        self._ec2 = ec2
        self._account_id = account_id
        self._region = region

    def create(self, body: Body) -> JsonObject:
        """Create a managed compute environment on EC2, which is there at once."""
        name = str(required(body, "computeEnvironmentName"))
        if not _NAME.fullmatch(name):
            raise ClientException(f"{name} is no name for a compute environment")
        if body.get("type") != "MANAGED":
            raise ClientException("The embedded edition has managed compute environments only")
        resources: Mapping[str, Any] = required(body, "computeResources")
        with self._scheduler.changes:
            if name in self._environments:
                raise ClientException(f"Compute environment {name} already exists")
            created = self._new(name, body, resources, types=_types_of(resources))
            self._environments[name] = created
        self._backend.tag_resource(created.arn, body.get("tags") or {})
        return _names(created)

    def update(self, body: Body) -> JsonObject:
        """Change the state, the role, or some of the compute resources."""
        with self._scheduler.changes:
            environment = self._existing(body)
            changes: Mapping[str, Any] = body.get("computeResources") or {}
            resources = {**environment.resources, **changes}
            types = _types_of(resources)
            environment.state = state_of(body, environment.state)
            environment.service_role = body.get("serviceRole") or environment.service_role
            environment.resources, environment.types = resources, types
            self._scheduler.changes.notify_all()
            return _names(environment)

    def delete(self, body: Body) -> JsonObject:
        """Delete an environment that is disabled and that no queue uses."""
        with self._scheduler.changes:
            environment = self._existing(body)
            if environment.state != "DISABLED":
                raise ClientException("Cannot delete, the compute environment must be DISABLED")
            if self._scheduler.registry.queues_of(environment):
                raise ClientException("Cannot delete, found existing JobQueue relationship")
            environment.fleet.retire_all()
            del self._environments[environment.name]
        return {}

    def describe(self, body: Body) -> JsonObject:
        """Describe compute environments, all of them or those named."""
        with self._scheduler.changes:
            shown, token = described(self._environments, body, "computeEnvironments")
            return {"computeEnvironments": [self._detail(each) for each in shown], **token}

    def gaps(self) -> list[Gap]:
        """Return what of moto this API stands in for."""
        missing = (
            "moto's compute environments neither grow, change nor break, and are told in one page."
        )
        operations = {
            "create": self.create,
            "update": self.update,
            "delete": self.delete,
            "describe": self.describe,
        }
        return [
            Gap(f"{_RESPONSE}.{verb}computeenvironment{plural}", missing, answer(operation))
            for verb, operation in operations.items()
            for plural in ("s" if verb == "describe" else "",)
        ]

    def _new(
        self,
        name: str,
        body: Body,
        resources: Mapping[str, Any],
        *,
        types: tuple[InstanceType, ...],
    ) -> ComputeEnvironment:
        number = str(uuid.uuid4())
        cluster: Moto = self._backend.ecs_backend.create_cluster(f"AWSBatch-{name}-{number}")
        prefix = f"arn:aws:batch:{self._region}:{self._account_id}"
        return ComputeEnvironment(
            name=name,
            arn=f"{prefix}:compute-environment/{name}",
            uuid=number,
            state=state_of(body, "ENABLED"),
            service_role=body.get("serviceRole"),
            resources=resources,
            types=types,
            fleet=Fleet(cluster.arn, self._ec2),
            role_exists=self._role_exists,
        )

    def _detail(self, environment: ComputeEnvironment) -> JsonObject:
        is_valid = environment.is_valid
        resources = {
            **environment.resources,
            "minvCpus": environment.resources.get("minvCpus", 0),
            "desiredvCpus": int(environment.fleet.vcpus),
        }
        detail = {
            **_names(environment),
            "ecsClusterArn": environment.fleet.cluster_arn,
            "tags": self._backend.list_tags_for_resource(environment.arn),
            "type": "MANAGED",
            "state": environment.state,
            "status": "VALID" if is_valid else "INVALID",
            "statusReason": HEALTHY if is_valid else NOT_AUTHORIZED,
            "computeResources": resources,
            "containerOrchestrationType": "ECS",
            "uuid": environment.uuid,
        }
        role = environment.service_role
        return detail | ({"serviceRole": role} if role else {})

    def _existing(self, body: Body) -> ComputeEnvironment:
        name = str(required(body, "computeEnvironment"))
        found = self._scheduler.registry.environment(name)
        if found is None:
            raise ClientException(f"Compute environment {name} does not exist")
        return found

    def _role_exists(self, arn: str) -> bool:
        try:
            self._backend.iam_backend.get_role_by_arn(arn)
        except NotFoundException:
            return False
        return True

    @property
    def _backend(self) -> Moto:
        return batch_backends[self._account_id][self._region]


def _names(environment: ComputeEnvironment) -> JsonObject:
    return {
        "computeEnvironmentName": environment.name,
        "computeEnvironmentArn": environment.arn,
    }


def _types_of(resources: Mapping[str, Any]) -> tuple[InstanceType, ...]:
    if resources.get("type") not in _EC2_TYPES:
        raise ClientException("The embedded edition runs jobs on EC2 only: type EC2 or SPOT")
    if int(required(resources, "maxvCpus")) < int(resources.get("minvCpus", 0)):
        raise ClientException("maxvCpus must be greater than or equal to minvCpus")
    try:
        return types_named(required(resources, "instanceTypes"))
    except UnknownInstanceTypeError as error:
        raise ClientException(f"Instance type {error} does not exist") from error
