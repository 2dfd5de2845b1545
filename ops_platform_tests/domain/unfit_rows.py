"""Jobs that ask for too much, or of which nobody knows what holds them up, and what is said."""

from ops_platform.domain.capacity import InstanceType, Platform, Size
from ops_platform.domain.causes import Cause
from ops_platform_tests.build_stale import LARGE, an_environment
from ops_platform_tests.domain.stuck_world import (
    STILL,
    Row,
    asking,
    nominal,
    situation,
)

LINE = "at step work of TrainFlow. Metaflow takes the larger of @resources and @batch"
SLIM = nominal("c5.xlarge", 4, 8192)
# Somebody has switched half of its processors off.
HALVED = InstanceType("r5.4xlarge", Size(4, 120_000), is_registered=True)
TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement is higher"
ROWS = (
    Row(
        Cause.TOO_MANY_VCPUS,
        asking(999),
        situation(an_environment(max_vcpus=4)),
        "The job asks for 999 vCPUs; the most that queue flows has is 4 vCPUs (r5.xlarge).",
        (
            f"Ask for at most 4 vCPUs: @resources(cpu=4, memory=4096) {LINE}, so look at both. No"
            " instance type of EC2 in this region would do."
        ),
    ),
    Row(
        Cause.TOO_MUCH_MEMORY,
        asking(1, 100_000),
        situation(),
        (
            "The job asks for 100,000 MiB of memory; the most that queue flows has is 31,300 MiB"
            " (r5.xlarge)."
        ),
        (
            f"Ask for at most 31,300 MiB: @resources(cpu=1, memory=31300) {LINE}, so look at both."
            " Or use a queue, or give this one an environment, with r5.4xlarge: the smallest that"
            " fits."
        ),
    ),
    Row(
        Cause.TOO_MANY_GPUS,
        asking(1, gpus=1),
        situation(),
        "The job asks for 1 GPU; the most that queue flows has is no GPU.",
        (
            f"Ask for no GPU: @resources(cpu=1, memory=4096) {LINE}, so look at both. Or use a"
            " queue, or give this one an environment, with g4dn.xlarge: the smallest that fits."
        ),
    ),
    Row(
        Cause.TOO_MANY_GPUS,
        asking(96, 400_000, gpus=2, flow=None),
        situation(an_environment(types=(LARGE, nominal("g4dn.xlarge", 4, 16_384, 1)))),
        (
            "The job asks for 2 GPUs, 96 vCPUs and 400,000 MiB of memory; the most that queue flows"
            " has are 1 GPU (g4dn.xlarge), 4 vCPUs (g4dn.xlarge) and 16,384 MiB (g4dn.xlarge)."
        ),
        "Ask for at most 4 vCPUs, at most 14,745 MiB and at most 1 GPU. No instance type",
    ),
    Row(
        Cause.NO_TYPE_HAS_ALL,
        asking(4, 12_000),
        situation(an_environment(types=(LARGE, SLIM))),
        (
            "The job asks for 4 vCPUs and 12,000 MiB of memory: no one instance type of queue flows"
            " has all of it."
        ),
        (
            f"Ask for at most 7,372 MiB: @resources(cpu=4, memory=7372) {LINE}, so look at both. Or"
            " use a queue, or give this one an environment, with r5.xlarge"
        ),
    ),
    Row(
        Cause.ABOVE_MAX_VCPUS,
        asking(4),
        situation(an_environment(max_vcpus=2)),
        (
            "The job asks for 4 vCPUs; no compute environment of queue flows that is large enough"
            " may have more than 2."
        ),
        (
            f"Ask for at most 2 vCPUs: @resources(cpu=2, memory=4096) {LINE}, so look at both. Or"
            " raise its maxvCpus."
        ),
    ),
    Row(
        Cause.ABOVE_MAX_VCPUS,
        asking(64),
        situation(an_environment(types=None)),
        (
            "The job asks for 64 vCPUs; no compute environment of queue flows that is large enough"
            " may have more than 16."
        ),
        "Ask for at most 16 vCPUs: @resources(cpu=16, memory=4096)",
    ),
    Row(
        Cause.TOO_MANY_VCPUS,
        asking(64),
        situation(an_environment(platform=Platform.FARGATE, types=(), max_vcpus=256)),
        "The job asks for 64 vCPUs; the most that queue flows has is 32 vCPUs (Fargate).",
        (
            f"Ask for at most 32 vCPUs: @resources(cpu=32, memory=4096) {LINE}, so look at both. Or"
            " use a queue of EC2 instances such as m5.24xlarge, the smallest that fits."
        ),
    ),
    Row(
        Cause.TOO_MANY_GPUS,
        asking(gpus=1),
        situation(an_environment(platform=Platform.FARGATE, types=None, max_vcpus=256)),
        "The job asks for 1 GPU; the most that queue flows has is no GPU.",
        "Ask for no GPU",
    ),
    Row(
        Cause.REFUSED_AS_TOO_LARGE,
        asking(4),
        situation(an_environment(types=None)),
        (
            "Batch finds that no instance of the queue's compute environments is large enough. The"
            " job asks for 4 vCPUs and 4,096 MiB of memory."
        ),
        "Ask for less than @resources(cpu=4, memory=4096)",
        said=TOO_LARGE,
    ),
    Row(
        Cause.REFUSED_AS_TOO_LARGE,
        asking(2, 16_384),
        situation(an_environment(types=(nominal("r5.large", 2, 16_384),))),
        (
            "Batch finds that no instance of the queue's compute environments is large enough. The"
            " job asks for 2 vCPUs and 16,384 MiB of memory."
        ),
        "Ask for at most 14,745 MiB: @resources(cpu=2, memory=14745)",
        said=TOO_LARGE,
    ),
    Row(
        Cause.UNKNOWN,
        asking(3),
        situation(),
        f"Nobody knows why: it would fit r5.xlarge of spot, and q{STILL}.",
        (
            "Check what AWS lists: the instances run and register with the ECS cluster (agent"
            " installed and running, a route to the ECS endpoint, an instance role); EC2's quota"
            " and its Spot requests; memory that the agent keeps; on an image of your own, the"
            " awslogs driver."
        ),
    ),
    Row(
        Cause.UNKNOWN,
        asking(1, 16_000),
        situation(an_environment(types=(nominal("r5.large", 2, 16_384),))),
        (
            "Perhaps it asks for too much memory: 16,000 MiB, of the 16,384 MiB of r5.large ECS"
            f" keeps some; q{STILL}."
        ),
        "Ask for at most 14,745 MiB: @resources(cpu=1, memory=14745)",
    ),
    Row(
        Cause.UNKNOWN,
        asking(1, 15_850),
        situation(an_environment(types=(LARGE,))),
        (
            "Perhaps it asks for too much memory: 15,850 MiB, and r5.large was seen to have"
            f" 15,500 MiB; q{STILL}."
        ),
        "Ask for at most 15,500 MiB: @resources(cpu=1, memory=15500)",
    ),
    Row(
        Cause.UNKNOWN,
        asking(8, 4096),
        situation(an_environment(types=(HALVED,))),
        (
            "Perhaps it asks for too much: 8 vCPUs and 4,096 MiB of memory, and r5.4xlarge was seen"
            f" to have 4 vCPUs and 120,000 MiB of memory; q{STILL}."
        ),
        "Ask for at most 4 vCPUs: @resources(cpu=4, memory=4096)",
    ),
    Row(
        Cause.TOO_MUCH_MEMORY,
        asking(1, 16_384),
        situation(an_environment(types=(LARGE,))),
        (
            "The job asks for 16,384 MiB of memory; the most that queue flows has is 15,500 MiB"
            " (r5.large)."
        ),
        f"Ask for at most 15,500 MiB: @resources(cpu=1, memory=15500) {LINE}",
    ),
    Row(
        Cause.UNKNOWN,
        asking(),
        situation(an_environment(platform=Platform.OTHER, types=None), front=None),
        (
            "Nobody knows why: what its queue can start is not known, and queue flows has not"
            " moved, as far as is known."
        ),
        "Check what AWS lists",
    ),
)
