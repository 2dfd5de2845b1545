"""The instance types that a compute environment may start, by the names it is configured with."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from ops_platform.embedded.aws.batch.sizes import InstanceType, Size

# What Batch makes of the names that stand for several families.
_BUNDLES = {
    "optimal": ("c4", "m4", "r4"),
    "default_x86_64": ("m6i", "c6i", "r6i", "c7i"),
    "default_arm64": ("m6g", "c6g", "r6g", "c7g"),
}
# The agent of ECS keeps some memory for itself, so that less registers than EC2 sells.
_REGISTERED = 0.96
_AGENT_MIB = 128


class UnknownInstanceTypeError(ValueError):
    """EC2 has no such type or family."""


def types_named(names: Iterable[str]) -> tuple[InstanceType, ...]:
    """Return the types that names stand for: types, families and bundles.

    Raises:
        UnknownInstanceTypeError: A name stands for nothing.
    """
    found = {kind: None for name in names for kind in _expanded(name)}
    return tuple(_instance_type(kind) for kind in found)


def _expanded(name: str) -> Iterator[str]:
    if name in INSTANCE_TYPES:
        yield name
        return
    families = _BUNDLES.get(name, (name,))
    members = [kind for kind in INSTANCE_TYPES if kind.partition(".")[0] in families]
    if not members:
        raise UnknownInstanceTypeError(name)
    yield from members


def _instance_type(name: str) -> InstanceType:
    about: Mapping[str, Any] = INSTANCE_TYPES[name]
    gpus = sum(gpu["Count"] for gpu in about.get("GpuInfo", {}).get("Gpus", ()))
    memory = int(about["MemoryInfo"]["SizeInMiB"] * _REGISTERED) - _AGENT_MIB
    return InstanceType(name, Size(about["VCpuInfo"]["DefaultVCpus"], memory, gpus))
