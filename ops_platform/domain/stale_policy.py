"""What the settings want done about stale jobs, by account, queue, flow, owner and GPU or not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.names import matches
from ops_platform.domain.waiting_jobs import WaitingJob


class Mode(StrEnum):
    """Whether stale jobs of an account are cancelled."""

    OBSERVE = "observe"
    """Judge and report only."""
    ENFORCE = "enforce"


class Target(StrEnum):
    """What is ended for a stale job of a Step Functions run."""

    JOB = "job"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for one job.

    ``unfit_after`` is for a job that provably fits nothing its queue has, ``stuck_after`` for one
    in a queue that does not move. ``by_age`` cancels after ``stuck_after`` whatever the cause.
    ``foreign`` lets jobs be touched that are not Metaflow's. ``warn_before`` is how long before
    its cancellation the owner hears of it; None for not at all.
    """

    name: str = "default"
    unfit_after: timedelta = timedelta(minutes=15)
    stuck_after: timedelta = timedelta(hours=2)
    by_age: bool = False
    foreign: bool = False
    target: Target = Target.JOB
    warn_before: timedelta | None = None
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Changes the policy for the jobs that match all that is given; ``*`` stands for anything."""

    name: str
    account: str | None = None
    queue: str | None = None
    flow: str | None = None
    owner: str | None = None
    gpu: bool | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    def takes(self, waiting: WaitingJob) -> bool:
        """Tell whether the rule is for a job."""
        latest = waiting.job.latest
        pairs = (
            (self.account, waiting.job.account),
            (self.queue, waiting.queue),
            (self.flow, latest.flow),
            (self.owner, latest.owner),
        )
        by_name = all(pattern is None or matches(name or "", pattern) for pattern, name in pairs)
        return by_name and (self.gpu is None or self.gpu == bool(latest.gpus))


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy of every job: the first rule that takes it changes the default one.

    ``breaker_runs`` is from how many runs with stale jobs on their queue is at fault, ``most``
    how many jobs of an account are cancelled at a time.
    """

    default: Policy = Policy()
    rules: tuple[Rule, ...] = ()
    breaker_runs: int = 10
    most: int = 50

    def of(self, waiting: WaitingJob) -> Policy:
        """Return the policy of a job."""
        for rule in self.rules:
            if rule.takes(waiting):
                return replace(self.default, name=rule.name, **rule.changes)
        return self.default

    @property
    def shortest(self) -> timedelta:
        """How old a job must be at least to be anybody's concern."""
        every = [self.default, *(replace(self.default, **rule.changes) for rule in self.rules)]
        return min(_first_word(policy) for policy in every)


def _first_word(policy: Policy) -> timedelta:
    first = min(policy.unfit_after, policy.stuck_after)
    return max(first - (policy.warn_before or timedelta()), timedelta())
