"""All there is to tell of one incident: what happened, to whom, how often, and the log of it."""

from dataclasses import dataclass
from datetime import datetime

from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.routes import Severity
from ops_platform.domain.standstill import Standstill


@dataclass(frozen=True, slots=True)
class Track:
    """How a flow did before: ``failures_in_a_row`` counts the one that is told.

    Of what was before ``knows_since`` nothing is known.
    """

    failures_in_a_row: int
    last_success_at: datetime | None
    knows_since: datetime | None


@dataclass(frozen=True, slots=True)
class JobLog:
    """The end of the first root failure's log, redacted, and the last line of its exception."""

    exception: str | None
    tail: str | None
    truncated: bool
    absence: LogAbsence | None


@dataclass(frozen=True, slots=True)
class Story:
    """An incident with all that its messages show.

    ``mention`` is Slack markup that names the owner. ``meant_for`` is the channel that the message
    was meant for if it goes to another instead. ``job`` is the first root failure, ``standstill``
    what kept it from starting if that is why it failed.
    """

    incident: Incident
    links: Links
    mention: str | None
    track: Track | None = None
    log: JobLog | None = None
    meant_for: str | None = None
    severity: Severity | None = None
    job: Job | None = None
    standstill: Standstill | None = None
