"""The job queues of one account's Batch with the compute environments behind them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.batch_ports import InstanceTypes
from ops_platform.domain.capacity import Environment, InstanceType, Queue, Size
from ops_platform.domain.instance_types import types_meant
from ops_platform.domain.queue_descriptions import (
    environment_of,
    environments_of,
    queue_of,
    read_queue,
)

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient

_MOST_AT_ONCE = 100


class Environments:
    """Reads queues and environments; EC2 is asked only if an environment starts its instances."""

    def __init__(
        self,
        client: "BatchClient",
        caller: PatientCaller,
        types: InstanceTypes,
        registered: Mapping[str, Size],
    ) -> None:
        self._client = client
        self._caller = caller
        self._types = types
        self._registered = registered

    def queues(self) -> list[Queue]:
        """Return the job queues, with their compute environments."""
        request, doing = self._client.describe_job_queues, "list the job queues"
        pages = self._pages("DescribeJobQueues", doing, partial(request, maxResults=_MOST_AT_ONCE))
        read = [read_queue(each) for page in pages for each in page["jobQueues"]]
        queues = [queue for queue in read if queue is not None]
        arns = dict.fromkeys(arn for queue in queues for arn in environments_of(queue))
        environments = {each.name: each for each in self._named(list(arns))}
        return [queue_of(queue, environments) for queue in queues]

    def _named(self, arns: Sequence[str]) -> Iterator[Environment]:
        request, doing = self._client.describe_compute_environments, "read compute environments"
        left = iter(arns)
        while chunk := list(islice(left, _MOST_AT_ONCE)):
            ask = partial(request, computeEnvironments=chunk)
            for page in self._pages("DescribeComputeEnvironments", doing, ask):
                for described in page["computeEnvironments"]:
                    yield environment_of(described, self._meant)

    def _meant(self, configured: Sequence[str]) -> tuple[InstanceType, ...] | None:
        return types_meant(configured, self._types.all(), self._registered)

    def _pages(
        self, action: str, doing: str, request: "partial[Any]"
    ) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._caller.call(action, doing, request, **more)
            yield page
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}
