"""Instance types: as EC2 describes them, and which of them a compute environment's names mean."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ops_platform.domain import aws_queue_documents as aws
from ops_platform.domain.capacity import InstanceType, Size

# Batch moves its bundles on to newer families, and may choose an older one: all that they may mean.
_X86_64 = re.compile(r"[cmr]([4-9]|[1-9]\d+)i?")
_ARM64 = re.compile(r"[cmr]([6-9]|[1-9]\d+)g")
_BUNDLES = {"optimal": _X86_64, "default_x86_64": _X86_64, "default_arm64": _ARM64}


def instance_type_of(described: Mapping[str, Any]) -> InstanceType | None:
    """Return an instance type as ``DescribeInstanceTypes`` shows it; None if we cannot read it.

    GPUs alone count, no other accelerators: a job asks Batch for GPUs.
    """
    try:
        found = msgspec.convert(described, aws.InstanceType)
    except msgspec.ValidationError:
        return None
    gpus = found.gpu_info.gpus if found.gpu_info else ()
    count = sum(gpu.count or gpu.logical_gpu_count or 0 for gpu in gpus)
    return InstanceType(found.name, Size(found.vcpus.default, found.memory.mib, count))


def types_meant(
    configured: Sequence[str],
    offered: Sequence[InstanceType],
    registered: Mapping[str, Size],
) -> tuple[InstanceType, ...] | None:
    """Return what exact names, families and bundles stand for; None if that of one is not known.

    What container instances registered replaces what EC2 names, but for the GPUs.
    """
    found: dict[str, InstanceType] = {}
    for name in configured:
        meant = [each for each in offered if _means(name, each)]
        if not meant:
            return None
        found |= {each.name: _as_seen(each, registered.get(each.name)) for each in meant}
    return tuple(found.values()) or None


def _means(name: str, each: InstanceType) -> bool:
    family = each.name.partition(".")[0]
    bundle = _BUNDLES.get(name)
    if bundle is not None:
        return bundle.fullmatch(family) is not None
    return name in {each.name, family}


def _as_seen(each: InstanceType, seen: Size | None) -> InstanceType:
    if seen is None:
        return each
    size = Size(seen.vcpus, seen.memory_mib, max(seen.gpus, each.size.gpus))
    return InstanceType(each.name, size, is_registered=True)
