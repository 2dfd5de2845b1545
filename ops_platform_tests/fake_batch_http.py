"""A fake account of Batch queues as AWS's clients reach it: over HTTP, with EC2 beside it."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ops_platform.domain.capacity import InstanceType
from ops_platform_tests.adapters.canned_aws import Answer, Request
from ops_platform_tests.fake_batch_api import FakeBatchApi
from ops_platform_tests.fake_queues import OFFERED

_TYPE = """<item><instanceType>{name}</instanceType>
<vCpuInfo><defaultVCpus>{vcpus:.0f}</defaultVCpus></vCpuInfo>
<memoryInfo><sizeInMiB>{memory}</sizeInMiB></memoryInfo></item>"""


def over_http(api: FakeBatchApi) -> Callable[[Request], Answer]:
    """Return what answers as the Batch of that account, and as EC2."""
    actions: dict[str, Callable[..., dict[str, Any]]] = {
        "/v1/canceljob": api.cancel_job,
        "/v1/describecomputeenvironments": api.describe_compute_environments,
        "/v1/describejobqueues": api.describe_job_queues,
        "/v1/describejobs": api.describe_jobs,
        "/v1/getjobqueuesnapshot": api.get_job_queue_snapshot,
        "/v1/listjobs": api.list_jobs,
    }

    def answer(request: Request) -> Answer:
        if request.path == "/":
            return Answer(_instance_types())
        try:
            return Answer.of(actions[request.path](**request.fields))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return Answer.error(error.response["Error"]["Code"], status=status)

    return answer


def _instance_types() -> str:
    items = "".join(map(_instance_type, OFFERED))
    return (
        '<DescribeInstanceTypesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<instanceTypeSet>{items}</instanceTypeSet></DescribeInstanceTypesResponse>"
    )


def _instance_type(each: InstanceType) -> str:
    return _TYPE.format(name=each.name, vcpus=each.size.vcpus, memory=each.size.memory_mib)
