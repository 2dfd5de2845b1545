"""What may be promoted to production, by which rules, and what the production queues can start."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ops_platform.domain.capacity import Environment, InstanceType, Platform, Queue, Size
from ops_platform.domain.flow_names import Conventions
from ops_platform.settings.fields import Allowed, Table, Word


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError("pattern", "no regular expression") from error
    return text


Pattern = Annotated[
    str,
    Field(max_length=200),
    AfterValidator(_is_pattern),
    Allowed('a regular expression that matches whole names, such as "[a-z_]+"'),
]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class InstanceTypeSettings(Table):
    """What an instance type lets a job have."""

    name: Word
    vcpus: Count
    memory_mib: Annotated[int, Field(ge=1, le=100_000_000)]
    gpus: Annotated[int, Field(ge=0, le=64)] = 0


class QueueSettings(Table):
    """A job queue of the production account; an EC2 one names the types that it can start."""

    name: Word
    platform: Literal["EC2", "FARGATE"] = "EC2"
    max_vcpus: Count | None = None
    instance_types: Annotated[
        tuple[InstanceTypeSettings, ...],
        Field(strict=False),
        Allowed("a list of instance types, each with name, vcpus and memory_mib"),
    ] = ()

    def queue(self) -> Queue:
        """Return it as Batch would describe it, were all in order."""
        types = tuple(
            InstanceType(each.name, Size(each.vcpus, each.memory_mib, each.gpus))
            for each in self.instance_types
        )
        environment = Environment(
            arn=self.name,
            state="ENABLED",
            status="VALID",
            status_reason=None,
            platform=Platform.FARGATE if self.platform == "FARGATE" else Platform.EC2,
            max_vcpus=self.max_vcpus,
            desired_vcpus=None,
            configured=tuple(each.name for each in types),
            types=types or None,
        )
        return Queue(
            arn=self.name,
            state="ENABLED",
            status="VALID",
            status_reason=None,
            environments=(environment,),
        )


class NameSettings(Table):
    """How flows and projects are to be called."""

    flow: Pattern | None = None
    project: Pattern | None = None
    project_required: bool = False

    def conventions(self) -> Conventions:
        """Return them as the sanity checks take them."""
        return Conventions(self.flow, self.project, self.project_required)


class PromotionSettings(Table):
    """How flows come to production."""

    check_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    names: NameSettings = Field(default_factory=NameSettings)
    queues: Annotated[
        tuple[QueueSettings, ...],
        Field(strict=False),
        Allowed("a [[promotion.queues]] table for each queue of the production account"),
    ] = ()
