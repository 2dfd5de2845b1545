"""The thread below an alert: the jobs that failed by themselves, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import section
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.mrkdwn import code

JOBS_A_PAGE = 25
MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a step's root failures: ``limit`` of them from ``offset`` on."""

    step: str
    number: int
    offset: int
    limit: int


def pages(incident: Incident) -> list[Page]:
    """Return the pages of an incident, each of one step."""
    places = [
        (step, offset)
        for step, tally in incident.steps.items()
        for offset in range(0, tally.failed, JOBS_A_PAGE)
    ]
    return [
        Page(step, number, offset, JOBS_A_PAGE)
        for number, (step, offset) in enumerate(places[:MOST_PAGES], start=1)
    ]


def render_page(
    page: Page,
    jobs: Sequence[Job],
    *,
    incident: Incident,  # noqa: ARG001
    links: Links,  # noqa: ARG001
) -> Message:
    """Return the message of a page of root failures, sorted by when they stopped."""
    lines = [f"• {code(job.latest.job_id, 60)}" for job in jobs]
    text = f"{code(page.step, 120)}: {len(jobs)} jobs failed"
    return Message(text=text, blocks=[section("\n".join([text, *lines]))])
