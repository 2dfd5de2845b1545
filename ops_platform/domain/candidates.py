"""A flow at the head of a pull request, which somebody would have in production."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ops_platform.domain.checkouts import Source, checked_flow_path
from ops_platform.domain.flow_names import Conventions
from ops_platform.domain.promotions import Kind, request_id
from ops_platform.domain.pull_requests import ReviewPolicy
from ops_platform.domain.sandboxes import Isolation

_OWNER = re.compile(r"[\w.@+-]{1,200}")
_PULL_REF = "refs/pull/{number}/head"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A flow's file in a repository, at a commit that must be the pull request's head.

    Raises:
        PlatformError: The path leads elsewhere than to a Python file of the repository.
    """

    repository: str
    pull_request: int
    commit: str
    flow_path: str

    def __post_init__(self) -> None:
        """Refuse a path that is none."""
        checked_flow_path(self.flow_path)

    @property
    def folder(self) -> str:
        """The folder of the flow within the repository, empty for its top."""
        return self.flow_path.rpartition("/")[0]

    @property
    def file(self) -> str:
        """The name of the flow's file."""
        return self.flow_path.rpartition("/")[2]

    def source(self, rules: "CandidateRules") -> Source:
        """Return what is to be checked out.

        Raises:
            PlatformError: The commit is none.
        """
        ref = rules.pull_refs.get(self.repository, _PULL_REF).format(number=self.pull_request)
        return Source(self.repository, ref, self.commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """That a candidate shall go to production: by whom, why, and how.

    ``request`` is an id of the asker's own, such as that of a comment: the same one again is the
    same promotion. ``owner`` is whom alerts are to mention, by default whoever the Staging run
    names. ``canary`` asks for one where the rules do not.
    """

    candidate: Candidate
    actor: str
    reason: str
    request: str
    owner: str | None = None
    canary: bool = False

    @property
    def id(self) -> str:
        """The id of the promotion."""
        asked = self.candidate
        return request_id(
            Kind.PROMOTE, asked.repository, asked.pull_request, asked.commit, asked.flow_path,
            self.request,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRules:
    """What candidates are held against.

    ``account`` is the production account, by its name, and ``metaflow`` are Metaflow's settings
    there. ``projects`` are patterns by repository, of the projects that its flows may belong to;
    ``pull_refs`` are where a repository keeps the heads of its pull requests. ``seconds`` is how
    long each of Metaflow's commands may take, and ``max_age`` for how long a run proves its code.
    """

    account: str
    conventions: Conventions = field(default_factory=Conventions)
    review: ReviewPolicy = field(default_factory=ReviewPolicy)
    max_age: timedelta = timedelta(days=7)
    isolation: Isolation = Isolation.FULL
    seconds: float = 60.0
    metaflow: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)
    pull_refs: Mapping[str, str] = field(default_factory=dict)


def owner_of(*named: str | None) -> str | None:
    """Return the first of some names that can be written into a tag."""
    return next((name for name in named if name and _OWNER.fullmatch(name)), None)
