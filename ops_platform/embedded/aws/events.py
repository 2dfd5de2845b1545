"""EventBridge: complete envelopes, as AWS emits them, through the account's rules into SQS."""

import json
import threading
import uuid
from datetime import UTC, datetime

from moto.events.models import events_backends
from moto.sqs.models import sqs_backends

from ops_platform.embedded.aws.batch.description import describe
from ops_platform.embedded.aws.batch.instances import Instance
from ops_platform.embedded.aws.batch.model import Job, JsonObject, Status
from ops_platform.embedded.aws.batch.sizes import Size
from ops_platform.embedded.aws.losses import Losses


class EventBus:
    """The default event bus of one account.

    moto's own PutEvents leaves parts of the envelope out and refuses nothing; so the matching of
    rules is moto's, the envelope and the delivery are ours.
    """

    def __init__(self, account_id: str, region: str, losses: Losses) -> None:
        self._account_id = account_id
        self._region = region
        self._losses = losses
        self._lock = threading.Lock()

    def job_changed(self, job: Job) -> None:
        """Emit a Batch Job State Change; AWS emits none for the submission."""
        if job.status is not Status.SUBMITTED:
            self._emit("Batch Job State Change", "aws.batch", [job.arn], _job_detail(job))

    def queue_blocked(self, job: Job) -> None:
        """Emit a Batch Job Queue Blocked for the job at the head of its queue."""
        resources = [job.arn, job.spec.queue_arn]
        self._emit("Batch Job Queue Blocked", "aws.batch", resources, _job_detail(job))

    def instance_changed(self, instance: Instance) -> None:
        """Emit an ECS Container Instance State Change."""
        detail_type = "ECS Container Instance State Change"
        self._emit(detail_type, "aws.ecs", [instance.arn], _instance_detail(instance))

    def execution_changed(self, execution_arn: str, detail: JsonObject) -> None:
        """Emit a Step Functions Execution Status Change, unless it is to be lost."""
        if self._losses.take(str(detail["name"]), str(detail["status"])):
            return
        detail_type = "Step Functions Execution Status Change"
        self._emit(detail_type, "aws.states", [execution_arn], detail)

    def _emit(
        self, detail_type: str, source: str, resources: list[str], detail: JsonObject
    ) -> None:
        envelope: JsonObject = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._account_id,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": self._region,
            "resources": resources,
            "detail": detail,
        }
        with self._lock:
            for queue in self._queues_of_matching_rules(envelope):
                sqs = sqs_backends[self._account_id][self._region]
                sqs.send_message(queue, json.dumps(envelope))

    def _queues_of_matching_rules(self, envelope: JsonObject) -> list[str]:
        buses = events_backends[self._account_id][self._region].event_buses
        targets = [
            target["Arn"]
            for rule in list(buses["default"].rules.values())
            if rule.state == "ENABLED" and rule.event_pattern.matches_event(envelope)  # type: ignore[arg-type]
            for target in rule.targets
        ]
        return [arn.rpartition(":")[2] for arn in targets if ":sqs:" in arn]


def _job_detail(job: Job) -> JsonObject:
    """As in DescribeJobs, but for the tags: the events show the ARN there."""
    detail = describe(job) | {"tags": {"resourceArn": job.arn}}
    del detail["propagateTags"]
    return detail


def _instance_detail(instance: Instance) -> JsonObject:
    kind = instance.type
    return {
        "agentConnected": instance.status == "ACTIVE",
        "attributes": [
            {"name": "ecs.availability-zone", "value": instance.zone},
            {"name": "ecs.instance-type", "value": kind.name},
            {"name": "ecs.ami-id", "value": "ami-0e3bded0ecde0ded0"},
            {"name": "ecs.os-type", "value": "linux"},
            {"name": "com.amazonaws.ecs.capability.docker-remote-api.1.44"},
        ],
        "clusterArn": instance.cluster_arn,
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_id,
        "registeredResources": _resources(kind.size),
        "remainingResources": _resources(instance.free),
        "status": instance.status,
        "version": instance.version,
        "versionInfo": {"agentHash": "", "agentVersion": "1.91.0", "dockerVersion": "25.0.8"},
        "updatedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    }


def _resources(size: Size) -> list[JsonObject]:
    """ECS counts 1024 CPU units a vCPU, memory in MiB, and names each GPU."""
    sizes = {"CPU": round(size.vcpus * 1024), "MEMORY": size.memory}
    counted: list[JsonObject] = [
        {
            "name": name,
            "type": "INTEGER",
            "doubleValue": 0.0,
            "longValue": 0,
            "integerValue": size,
        }
        for name, size in sizes.items()
    ]
    gpus = [f"GPU-{number}" for number in range(size.gpus)]
    named: JsonObject = {"name": "GPU", "type": "STRINGSET", "stringSetValue": gpus}
    return [*counted, named] if gpus else counted
