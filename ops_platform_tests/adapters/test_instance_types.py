"""What EC2 offers is read once, page by page; where we may not ask, nothing is known."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.domain.capacity import InstanceType, Size


@dataclass(slots=True)
class FakeEc2:
    """EC2 with pages of one type each, or an error in their place."""

    names: tuple[str, ...] = ("m5.large", "c5.large")
    errors: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def describe_instance_types(self, **arguments: Any) -> Mapping[str, Any]:
        """Return a page."""
        self.tokens.append(arguments.get("NextToken"))
        if self.errors:
            error = {"Error": {"Code": self.errors.pop(0), "Message": "it is so"}}
            raise ClientError(error, "DescribeInstanceTypes")  # type: ignore[arg-type]
        at = int(arguments.get("NextToken", 0))
        more = {"NextToken": str(at + 1)} if at + 1 < len(self.names) else {}
        return {"InstanceTypes": [_described(self.names[at])], **more}


def _described(name: str) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 4096},
    }


def test_the_types_are_read_once_and_sorted_by_name() -> None:
    """However many pages there are, and however often one asks."""
    ec2 = FakeEc2()
    types = Ec2InstanceTypes(ec2)

    first, second = types.all(), types.all()

    assert [each.name for each in first] == ["c5.large", "m5.large"]
    assert first is second
    assert ec2.tokens == [None, "1"]


def test_throttling_is_waited_out() -> None:
    """EC2 has a name of its own for it."""
    pauses: list[float] = []

    types = Ec2InstanceTypes(FakeEc2(errors=["RequestLimitExceeded"]), sleep=pauses.append).all()

    assert len(types) == 2
    assert len(pauses) == 1


def test_where_we_may_not_ask_nothing_is_known(caplog: pytest.LogCaptureFixture) -> None:
    """A job that may fit goes on waiting; the log says what to allow."""
    with caplog.at_level(logging.WARNING):
        assert Ec2InstanceTypes(FakeEc2(errors=["UnauthorizedOperation"])).all() == ()

    assert "list the instance types" in caplog.text
    assert "policy" in caplog.text


def test_another_trouble_of_ec2_is_an_error() -> None:
    """It passes, and to know nothing then would be a wrong judgement."""
    with pytest.raises(AwsError, match="InvalidNextToken"):
        Ec2InstanceTypes(FakeEc2(errors=["InvalidNextToken"])).all()


def test_real_types_are_read(emulated: AccountClients) -> None:
    """Those of a whole region, with their GPUs."""
    types = {each.name: each for each in Ec2InstanceTypes(emulated.ec2).all()}

    assert len(types) > 500
    assert types["r5.large"] == InstanceType("r5.large", Size(2, 16_384))
    assert types["g4dn.12xlarge"] == InstanceType("g4dn.12xlarge", Size(48, 196_608, 4))
    assert types["inf1.xlarge"].size.gpus == 0
