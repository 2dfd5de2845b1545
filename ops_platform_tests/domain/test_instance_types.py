"""What the names in a compute environment stand for, and what EC2 says of an instance type."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ops_platform.domain.capacity import InstanceType, Size
from ops_platform.domain.instance_types import instance_type_of, types_meant

NAMES = (
    "c5.large", "c7g.large", "c7i.large", "g5.xlarge", "m3.large", "m4.large", "m5.large",
    "m5a.large", "m6g.large", "m6i.large", "m8i.large", "r5.large", "r5.xlarge", "r5d.large",
    "r10g.large", "t3.large", "x2iedn.large",
)  # fmt: skip
OFFERED = tuple(InstanceType(name, Size(2, 8192)) for name in NAMES)


def _meant(configured: Sequence[str], registered: Mapping[str, Size] | None = None) -> list[str]:
    found = types_meant(configured, OFFERED, registered or {})
    assert found is not None
    return [each.name for each in found]


@pytest.mark.parametrize(
    ("configured", "meant"),
    [
        (["m5.large"], "m5.large"),
        (["r5.xlarge", "m5.large"], "r5.xlarge m5.large"),
        (["r5"], "r5.large r5.xlarge"),
        (["r5", "r5.large"], "r5.large r5.xlarge"),
        (["m5", "g5.xlarge"], "m5.large g5.xlarge"),
        (
            ["optimal"],
            "c5.large c7i.large m4.large m5.large m6i.large m8i.large r5.large r5.xlarge",
        ),
        (
            ["default_x86_64"],
            "c5.large c7i.large m4.large m5.large m6i.large m8i.large r5.large r5.xlarge",
        ),
        (["default_arm64"], "c7g.large m6g.large r10g.large"),
        (["default_arm64", "t3.large"], "c7g.large m6g.large r10g.large t3.large"),
    ],
)
def test_names_families_and_bundles_stand_for_instance_types(
    configured: list[str], meant: str
) -> None:
    """Each once; a bundle for whatever Batch may choose, now or when it moves on."""
    assert _meant(configured) == meant.split()


@pytest.mark.parametrize(
    "configured", [[], ["m5.huge"], ["m5.large", "m9"], ["optima"], [""], ["m5."], ["large"]]
)
def test_one_name_that_nobody_knows_makes_all_of_it_unknown(configured: list[str]) -> None:
    """What it stands for may be larger than all the others."""
    assert types_meant(configured, OFFERED, {}) is None


@pytest.mark.parametrize("configured", ["m5.large", "m5", "optimal"])
def test_where_ec2_tells_nothing_nothing_is_known(configured: str) -> None:
    """As where we may not ask it, though an instance of the type was seen."""
    assert types_meant([configured], (), {"m5.large": Size(2, 7600)}) is None


def test_what_instances_registered_replaces_what_ec2_names() -> None:
    """The agent of ECS keeps memory for itself; it does not tell of GPUs, which stay."""
    offered = [InstanceType("p3.2xlarge", Size(8, 62_464, 1)), *OFFERED]

    found = types_meant(["p3", "m5.large"], offered, {"p3.2xlarge": Size(8, 60_000)})

    assert found == (
        InstanceType("p3.2xlarge", Size(8, 60_000, 1), is_registered=True),
        InstanceType("m5.large", Size(2, 8192)),
    )


@pytest.mark.parametrize(
    ("extra", "gpus"),
    [
        ({}, 0),
        ({"GpuInfo": {"Gpus": [{"Name": "V100", "Count": 4}], "TotalGpuMemoryInMiB": 65_536}}, 4),
        ({"GpuInfo": {"Gpus": [{"Name": "A", "Count": 1}, {"Name": "B", "Count": 2}]}}, 3),
        ({"GpuInfo": {"Gpus": [{"Name": "L4", "LogicalGpuCount": 2}]}}, 2),
        ({"NeuronInfo": {"NeuronDevices": [{"Count": 16}]}}, 0),
        ({"InferenceAcceleratorInfo": {"Accelerators": [{"Count": 1}]}}, 0),
    ],
    ids=["none", "of one kind", "of two kinds", "shared out", "neuron", "inference"],
)
def test_an_instance_type_is_read_as_ec2_describes_it(extra: dict[str, Any], gpus: int) -> None:
    """Other accelerators are no GPUs."""
    described = {
        "InstanceType": "x1.large",
        "CurrentGeneration": True,
        "VCpuInfo": {"DefaultVCpus": 8, "DefaultCores": 4},
        "MemoryInfo": {"SizeInMiB": 62_464},
    }

    assert instance_type_of(described | extra) == InstanceType("x1.large", Size(8, 62_464, gpus))


@pytest.mark.parametrize(
    "described",
    [{}, {"InstanceType": "x1.large"}, {"InstanceType": "", "VCpuInfo": {"DefaultVCpus": 1}}],
)
def test_an_instance_type_without_a_size_is_none(described: dict[str, Any]) -> None:
    """It is as if EC2 did not offer it."""
    assert instance_type_of(described) is None
