"""The instance types that EC2 offers in the region of an account."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.capacity import InstanceType
from ops_platform.domain.instance_types import instance_type_of

_log = logging.getLogger(__name__)

_PAGE = 100


class Ec2Client(Protocol):
    """What we use of boto3's client of EC2."""

    def describe_instance_types(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return a page of instance types."""
        ...


class Ec2InstanceTypes:
    """The API of EC2, as far as we read it; fulfils `InstanceTypes`."""

    def __init__(self, client: Ec2Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._caller = PatientCaller(sleep=sleep)

    @property
    def calls(self) -> Counter[str]:
        """The requests made so far, by AWS's name of the action."""
        return self._caller.calls

    def all(self) -> Sequence[InstanceType]:
        """Return every instance type, by name; read once and kept.

        None at all if we may not ask: then no job can be proved to fit nothing.
        """
        return self._all

    @cached_property
    def _all(self) -> tuple[InstanceType, ...]:
        try:
            found = [each for each in map(instance_type_of, self._described()) if each is not None]
        except AwsError as error:
            if error.code not in FORBIDDEN:
                raise
            _log.warning("No job can be proved to fit nothing that its queue has. %s", error)
            return ()
        return tuple(sorted(found, key=lambda each: each.name))

    def _described(self) -> Iterator[Mapping[str, Any]]:
        more: dict[str, Any] = {"MaxResults": _PAGE}
        while True:
            page = self._caller.call(
                "DescribeInstanceTypes",
                "list the instance types of EC2",
                self._client.describe_instance_types,
                **more,
            )
            yield from page["InstanceTypes"]
            if not page.get("NextToken"):
                return
            more = {"MaxResults": _PAGE, "NextToken": page["NextToken"]}
