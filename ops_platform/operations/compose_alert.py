"""From a row of the outbox to the words of its message.

What the ledger knows is gathered in a transaction; whom to mention may take a call to Slack, and is
asked outside of it; the rest is pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from ops_platform.adapters.ledger import bursts, incidents, job_logs, jobs, tracks
from ops_platform.adapters.ledger.alerts import DETAILS, MESSAGE, Alert
from ops_platform.adapters.ledger.database import Transaction
from ops_platform.domain.alert_message import Message, render, render_plain
from ops_platform.domain.burst_message import render_burst
from ops_platform.domain.bursts import Burst
from ops_platform.domain.detail_pages import Page, pages, render_page
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, digest_of
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.notes import render_note
from ops_platform.domain.routes import Stage, severity
from ops_platform.domain.standstill import Standstill
from ops_platform.domain.story import JobLog, Story, Track
from ops_platform.domain.telling import NOTED, Standing, Told, Why, standing
from ops_platform.operations.find_standstill import standstill_of
from ops_platform.operations.plan_alerts import page_part

Mention = Callable[[str | None], str | None]
MENTIONS = 10
_NONE_LEFT = "What stood here does not count as failed by itself any more."
_ONE_LEFT = "Only one job counts as failed by itself now; the message above tells of it."
_MENTIONING = frozenset({Why.FIRST, Why.FAILED_AGAIN, Why.RETRIED})


@dataclass(frozen=True, slots=True)
class Material:
    """What the ledger knows for one message."""

    alert: Alert
    incident: Incident
    parent: Alert
    burst: Burst | None = None
    track: Track | None = None
    log: JobLog | None = None
    job: Job | None = None
    page: Page | None = None
    jobs: Sequence[Job] = ()
    standstill: Standstill | None = None

    @property
    def standing(self) -> Standing:
        """Return what there is to tell."""
        return self.burst.standing if self.burst else standing(self.incident)


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, and what there will be to remember of it once it was sent."""

    message: Message
    telling: Told


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes messages; ``mention`` returns the Slack markup that names an owner."""

    links: Mapping[str, Links]
    mention: Mention
    stages: Mapping[str, Stage] = field(default_factory=dict)

    def compose(self, material: Material, *, now: datetime) -> Composed:
        """Return the message of a row, as it is now."""
        alert = material.alert
        message = self._words(material, now)
        if alert.plain:
            message = render_plain(message)
        current = material.standing
        mentioned_at = now if alert.why in _MENTIONING else alert.mentioned_at or now
        words = msgspec.json.encode([message.text, list(message.blocks)]).decode()
        return Composed(message, Told(current, mentioned_at, digest_of([words])))

    def _words(self, material: Material, now: datetime) -> Message:
        alert, incident = material.alert, material.incident
        links = self.links.get(incident.account) or next(iter(self.links.values()))
        if alert.part.startswith(DETAILS):
            return _page(material, links)
        meant_for = alert.channel if alert.fallback else None
        if material.burst is not None and alert.part == MESSAGE:
            return render_burst(
                material.burst,
                links=links,
                mentions=self._mentions(material.burst),
                meant_for=meant_for,
                now=now,
            )
        story = self._story(material, links, meant_for)
        if alert.why in NOTED and alert.part != MESSAGE:
            return render_note(alert.why, story, now=now)
        return render(story, now=now)

    def _story(self, material: Material, links: Links, meant_for: str | None) -> Story:
        incident = material.incident
        stage = self.stages.get(incident.account, Stage.PRODUCTION)
        return Story(
            incident,
            links,
            self.mention(incident.owner),
            track=material.track,
            log=material.log,
            meant_for=meant_for,
            severity=severity(incident, stage),
            job=material.job,
            standstill=material.standstill,
        )

    def _mentions(self, burst: Burst) -> list[str]:
        owners = sorted({member.owner for member in burst.members if member.owner})
        told = (self.mention(owner) for owner in owners[:MENTIONS])
        return list(dict.fromkeys(each for each in told if each))


def gather(tx: Transaction, alert: Alert, parent: Alert, incident: Incident) -> Material:
    """Return what the ledger knows for a message.

    What is noted of a burst is told of one that is still open, if there is any.
    """
    if alert.part.startswith(DETAILS):
        return _gather_page(tx, alert, parent, incident)
    burst = bursts.of_leader(tx, parent)
    if burst is not None and burst.still_open and incident not in burst.still_open:
        incident = burst.still_open[0]
    job_id, account = incident.job_id, incident.account
    job = jobs.load(tx, account, [job_id]).get(job_id) if job_id else None
    return Material(
        alert,
        incident,
        parent,
        burst=burst,
        track=tracks.track(tx, incident),
        log=job_logs.load(tx, account, job_id) if job_id else None,
        job=job,
        standstill=standstill_of(tx, incident, job),
    )


def incident_of(tx: Transaction, alert: Alert) -> Incident:
    """Return the incident that a message is about."""
    incident = incidents.load(tx, alert.incident_id)
    if incident is None:  # a foreign key holds it
        raise LookupError(f"The alert {alert.id} has no incident.")
    return incident


def _gather_page(tx: Transaction, alert: Alert, parent: Alert, incident: Incident) -> Material:
    page = next((p for p in pages(incident) if page_part(p.number) == alert.part), None)
    if page is None:
        return Material(alert, incident, parent)
    jobs = tracks.of_step(tx, incident, page.step, offset=page.offset, limit=page.limit)
    return Material(alert, incident, parent, page=page, jobs=jobs)


def _page(material: Material, links: Links) -> Message:
    if material.page is None:
        return Message(_NONE_LEFT if material.incident.failed_jobs != 1 else _ONE_LEFT, [])
    return render_page(material.page, material.jobs, incident=material.incident, links=links)
