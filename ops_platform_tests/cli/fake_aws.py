"""A fake Batch and a fake EC2 over HTTP, for commands that ask them."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ops_platform_tests.adapters.canned_aws import Answer, Request
from ops_platform_tests.fake_batch_api import FakeBatchApi
from ops_platform_tests.fake_queues import OFFERED

_ITEM = (
    "<item><instanceType>{}</instanceType><vCpuInfo><defaultVCpus>{}</defaultVCpus></vCpuInfo>"
    "<memoryInfo><sizeInMiB>{}</sizeInMiB></memoryInfo></item>"
)
_TYPES = "".join(
    _ITEM.format(each.name, int(each.size.vcpus), each.size.memory_mib)
    for each in OFFERED
    if not each.size.gpus
)


def answers(api: FakeBatchApi) -> Callable[[Request], Answer]:
    """Return what answers as both services do; which one is meant shows in the request."""

    def answer(request: Request) -> Answer:
        if request.text.startswith("Action=DescribeInstanceTypes"):
            return Answer(
                "<DescribeInstanceTypesResponse><instanceTypeSet>"
                f"{_TYPES}</instanceTypeSet></DescribeInstanceTypesResponse>"
            )
        return _batch(api, json.loads(request.text or "{}"))

    return answer


def _batch(api: FakeBatchApi, fields: dict[str, Any]) -> Answer:
    actions: dict[str, Callable[..., Any]] = {
        "jobs": api.describe_jobs,
        "computeEnvironments": api.describe_compute_environments,
        "maxResults": api.describe_job_queues,
        "jobQueue": api.get_job_queue_snapshot,
    }
    action = next(call for name, call in actions.items() if name in fields)
    try:
        return Answer.of(action(**fields))
    except ClientError as error:
        return Answer.error(error.response["Error"]["Code"], status=403)
