"""EC2's instance types, page by page, and those that are not to be had."""

import time

import pytest
from botocore.exceptions import ClientError

from ops_platform.embedded.aws.shortages import LACKS_VARIABLE, MUTE_VARIABLE, shortages_from
from ops_platform_tests.embedded.aws.accounts import Aws


def test_all_types_come_in_pages_of_a_hundred(aws: Aws) -> None:
    """Each once, with vCPUs, memory and GPUs; the second time soon enough to be asked often."""
    paginator = aws.client("ec2").get_paginator("describe_instance_types")
    pages = list(paginator.paginate())
    began = time.monotonic()
    assert [page["InstanceTypes"] for page in paginator.paginate()] == [
        page["InstanceTypes"] for page in pages
    ]
    assert time.monotonic() - began < 8
    found = {kind["InstanceType"]: kind for page in pages for kind in page["InstanceTypes"]}
    assert {len(page["InstanceTypes"]) for page in pages[:-1]} == {100}
    assert len(found) == sum(len(page["InstanceTypes"]) for page in pages) > 500
    assert found["r5.large"]["VCpuInfo"]["DefaultVCpus"] == 2
    assert found["r5.large"]["MemoryInfo"]["SizeInMiB"] == 16_384
    assert [gpu["Count"] for gpu in found["g4dn.xlarge"]["GpuInfo"]["Gpus"]] == [1]


def test_types_can_be_asked_for_by_name_or_filter(aws: Aws) -> None:
    """As moto answers it; an unknown name is refused."""
    ask = aws.client("ec2").describe_instance_types
    named = ask(InstanceTypes=["r5.large", "r5.xlarge"])["InstanceTypes"]
    assert {kind["InstanceType"] for kind in named} == {"r5.large", "r5.xlarge"}
    filters = [{"Name": "instance-type", "Values": ["r5.*"]}]
    family = ask(Filters=filters, MaxResults=5)
    assert len(family["InstanceTypes"]) == 5
    assert ask(Filters=filters, MaxResults=5, NextToken=family["NextToken"])["InstanceTypes"]
    with pytest.raises(ClientError, match="InvalidInstanceType"):
        ask(InstanceTypes=["x9.huge"])


@pytest.mark.parametrize(
    "request_",
    [
        {"MaxResults": 101},
        {"MaxResults": 5, "InstanceTypes": ["r5.large"]},
        {"NextToken": "nonsense"},
    ],
)
def test_a_page_that_makes_no_sense_is_refused(aws: Aws, request_: dict[str, object]) -> None:
    """With one of EC2's own codes."""
    with pytest.raises(ClientError, match="InvalidParameter"):
        aws.client("ec2").describe_instance_types(**request_)


def test_everything_is_to_be_had_unless_it_is_asked_for() -> None:
    """The demo and the users of the edition run into no shortage."""
    none = shortages_from({})
    assert (none.lacks("m5.large"), none.registers("m5.large")) == (False, True)

    some = shortages_from({LACKS_VARIABLE: "m5.large m5.xlarge", MUTE_VARIABLE: "c5.large"})
    assert [some.lacks(name) for name in ("m5.large", "m5.xlarge", "c5.large")] == [
        True,
        True,
        False,
    ]
    assert (some.registers("c5.large"), some.registers("m5.large")) == (False, True)
