"""Failed jobs as a list: a line for each, as full as there is room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from ops_platform.domain.blocks import moment, time_of_day
from ops_platform.domain.failed_job import ending, host, task_url
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.mrkdwn import code, link
from ops_platform.domain.words import duration

_ID_LIMIT = 40
_LINK_LIMIT = 480
_ID_SHOWN = 8
_WORDS_LIMIT = 80
_COMMON_WORDS_LIMIT = 400
_HALF_A_DAY = timedelta(hours=12)


class Detail(IntEnum):
    """How much a line shows; where a link leads can be found without it."""

    NO_LINKS = 0
    TASK = 1
    TASK_AND_LOG = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is to say of one job."""

    job_id: str
    task: str | None
    when: str
    ending: str | None
    host: str | None
    log: str | None

    def line(self, number: int, detail: Detail) -> str:
        """Return it as a line, of less than 400 characters without links."""
        name = self.task if self.task and detail >= Detail.TASK else self.job_id
        log = self.log if detail >= Detail.TASK_AND_LOG else None
        where = f"on {self.host}" if self.host else None
        parts = (f"{name} {self.when}", self.ending, where, log)
        return f"{number:,}. {' · '.join(filter(None, parts))}"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of jobs: what all of them have in common, and the entries without it."""

    common: Sequence[str]
    entries: Sequence[Entry]

    def lines(self, first: int, detail: Detail) -> list[str]:
        """Return a numbered line for each job, all with the same detail."""
        return [entry.line(number, detail) for number, entry in enumerate(self.entries, first)]


def listing(jobs: Sequence[Job], *, incident: Incident, links: Links) -> Listing:
    """Return the list of jobs of an incident's run."""
    stops = [job.stopped_at for job in jobs if job.stopped_at]
    one_day = len(stops) > 1 and max(stops) - min(stops) <= _HALF_A_DAY
    entries = [_entry(job, one_day=one_day, incident=incident, links=links) for job in jobs]
    common = []
    if _same(entry.ending for entry in entries):
        entries = [replace(entry, ending=None) for entry in entries]
        common.append(f"Each: {ending(jobs[0].latest, _COMMON_WORDS_LIMIT)}")
    if where := _same(entry.host for entry in entries):
        entries = [replace(entry, host=None) for entry in entries]
        common.append(f"All of them on host {where}")
    if one_day:
        common.append(f"First {moment(min(stops))}, last {moment(max(stops))}")
    return Listing(common, entries)


def _entry(job: Job, *, one_day: bool, incident: Incident, links: Links) -> Entry:
    latest = job.latest
    url = task_url(links, incident.flow, incident.run_id, latest)
    where = host(latest)
    return Entry(
        job_id=code(latest.job_id, _ID_LIMIT),
        task=_linked(url, latest.job_id[:_ID_SHOWN]),
        when=_when(job.stopped_at, latest.started_at, one_day=one_day),
        ending=ending(latest, _WORDS_LIMIT),
        host=code(where) if where else None,
        log=_linked(links.log(latest.log_stream) if latest.log_stream else None, "log"),
    )


def _when(stopped: datetime | None, started: datetime | None, *, one_day: bool) -> str:
    if stopped is None:
        return ""
    at = time_of_day(stopped) if one_day else moment(stopped)
    return f"{at}, {f'after {duration(stopped - started)}' if started else 'never started'}"


def _linked(url: str | None, label: str) -> str | None:
    return link(url, label) if url and len(url) <= _LINK_LIMIT else None


def _same(values: Iterable[str | None]) -> str | None:
    """Return the value that all of several have in common."""
    found = list(values)
    return found[0] if len(found) > 1 and len(set(found)) == 1 else None
