"""Exemptions: jobs that are left alone for a while, by whose word and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ops_platform.domain.names import matches
from ops_platform.domain.waiting_jobs import WaitingJob


@dataclass(frozen=True, slots=True)
class Exemption:
    """Spares the jobs that match all that is given, until ``until``.

    A pattern's ``*`` stands for any characters. ``tag`` and ``parameter`` are pairs of a key and a
    pattern of its value; of a job that was not described yet neither is known, and none matches.
    """

    reason: str
    until: datetime
    account: str | None = None
    flow: str | None = None
    tag: tuple[str, str] | None = None
    parameter: tuple[str, str] | None = None

    def covers(self, waiting: WaitingJob, now: datetime) -> bool:
        """Tell whether a job is spared now."""
        return (
            now < self.until
            and (self.account is None or matches(waiting.job.account, self.account))
            and (self.flow is None or matches(waiting.job.latest.flow or "", self.flow))
            and _has(waiting.tags, self.tag)
            and _has(waiting.parameters, self.parameter)
        )


def _has(given: Mapping[str, str] | None, wanted: tuple[str, str] | None) -> bool:
    if wanted is None:
        return True
    key, pattern = wanted
    return given is not None and key in given and matches(given[key], pattern)
