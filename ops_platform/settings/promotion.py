"""What may be promoted to production, by which rules, and what the production queues can start."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ops_platform.domain.capacity import Environment, InstanceType, Platform, Queue, Size
from ops_platform.domain.flow_names import Conventions
from ops_platform.settings.fields import (
    AccountName,
    Allowed,
    EnvironmentName,
    RoleArn,
    Table,
    Url,
    Word,
)


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


GitUrl = Annotated[
    str,
    # No user and password: an address is shown as it is.
    Field(pattern=r"\A(https?://[^\s/?#@]+/|file:///)[^\s@?#]+\Z"),
    Allowed("an address such as https://github.com/acme/flows.git, without a password"),
]
RepositoryName = Annotated[
    str,
    Field(pattern=r"\A[\w.-]{1,100}/[\w.-]{1,100}\Z"),
    Allowed("owner and name, such as acme/flows"),
]
PullRef = Annotated[
    str,
    Field(pattern=r"\Arefs/[\w./-]*\{number\}[\w./-]*\Z"),
    Allowed("a ref with {number} in it, such as refs/pull/{number}/head"),
]


class RepositorySettings(Table):
    """A repository whose flows may go to production; ``token_env`` names a token that reads it."""

    name: RepositoryName
    url: GitUrl
    token_env: EnvironmentName | None = None
    pull_request_ref: PullRef = "refs/pull/{number}/head"
    projects: Pattern | None = None


class ReviewSettings(Table):
    """What a pull request needs before its flow goes to production."""

    approvals: Annotated[int, Field(ge=0, le=10)] = 1
    up_to_date: bool = True
    required_checks: bool = True
    own_checks: Annotated[
        tuple[str, ...], Field(strict=False), Allowed("a list of names of commit statuses")
    ] = ("soteria/sanity", "soteria/production")
    bases: Annotated[tuple[str, ...], Field(strict=False), Allowed("a list of branches")] = ()
    by_committers: bool = False


class GitHubSettings(Table):
    """How GitHub is asked of pull requests."""

    api_url: Url = "https://api.github.com"
    token_env: EnvironmentName = "GITHUB_TOKEN"  # noqa: S105, the name of one


class SandboxSettings(Table):
    """The ECS task in which code of a pull request runs; it has no role and no secret.

    ``account`` is the account that it runs in, by default that of Staging, and ``bucket`` one of
    it. Its image is the platform's own.
    """

    cluster: Word
    task_definition: Word
    container: Word
    subnets: Annotated[
        tuple[Word, ...], Field(min_length=1, strict=False), Allowed("a list of subnets")
    ]
    security_groups: Annotated[
        tuple[Word, ...], Field(min_length=1, strict=False), Allowed("a list of security groups")
    ]
    bucket: Word
    account: AccountName | None = None


class PromotionSettings(Table):
    """How flows come to production.

    ``staging`` and ``production`` name accounts; by default the only one of that stage is meant.
    ``role_arn`` is the role that changes production, by default that of the account.
    """

    staging: AccountName | None = None
    production: AccountName | None = None
    role_arn: RoleArn | None = None
    external_id: Word | None = None
    deploy_user: Annotated[
        str, Field(pattern=r"\A[a-z][a-z0-9_-]{0,39}\Z"), Allowed("a name such as soteria")
    ] = "soteria"
    check_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    proof_days: Annotated[int, Field(ge=1, le=90)] = 7
    isolation: Literal["full", "own user", "own code only"] = "full"
    wait_for: Literal["started", "succeeded"] = "started"
    run_minutes: Annotated[int, Field(ge=1, le=10_080)] = 360
    canary: bool = False
    names: NameSettings = Field(default_factory=NameSettings)
    review: ReviewSettings = Field(default_factory=ReviewSettings)
    github: GitHubSettings = Field(default_factory=GitHubSettings)
    sandbox: SandboxSettings | None = None
    repositories: Annotated[
        tuple[RepositorySettings, ...],
        Field(strict=False),
        Allowed("a [[promotion.repositories]] table for each repository"),
    ] = ()
    queues: Annotated[
        tuple[QueueSettings, ...],
        Field(strict=False),
        Allowed("a [[promotion.queues]] table for each queue of the production account"),
    ] = ()
