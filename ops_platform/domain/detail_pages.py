"""The thread below an alert: the jobs that failed by themselves, step by step and page by page."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import MOST, Block, context, section, sections, weight
from ops_platform.domain.headlines import NAME_LIMIT
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident
from ops_platform.domain.job_lines import Detail, listing
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.mrkdwn import clip, code, escape
from ops_platform.domain.words import counted

MOST_PAGES = 20
JOBS_A_PAGE = 20
MOST_JOBS_A_PAGE = 25
"""So many are on a page if there would be too many pages; then there may be no room for links."""
_COMMAND_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a step's root failures: ``limit`` of them from ``offset`` on."""

    step: str
    number: int
    offset: int
    limit: int


def pages(incident: Incident) -> list[Page]:
    """Return the pages of an incident, each of one step, the worst step first.

    If there are too many, each step gets its first page before any gets its second. One failure
    alone has no page: the message tells all of it.
    """
    failed = _failed(incident)
    if incident.failed_jobs == sum(failed.values()) == 1:
        return []
    worst = sorted(failed, key=lambda step: (-failed[step], step))
    size = _jobs_a_page(failed)
    in_turn = sorted(
        (offset, rank)
        for rank, step in enumerate(worst)
        for offset in range(0, min(failed[step], MOST_PAGES * size), size)
    )
    kept = sorted((rank, offset) for offset, rank in in_turn[:MOST_PAGES])
    return [
        Page(worst[rank], number, offset, size)
        for number, (rank, offset) in enumerate(kept, start=1)
    ]


def _jobs_a_page(failed: Mapping[str, int]) -> int:
    needed = sum(-(-number // JOBS_A_PAGE) for number in failed.values())
    return JOBS_A_PAGE if needed <= MOST_PAGES else MOST_JOBS_A_PAGE


def render_page(page: Page, jobs: Sequence[Job], *, incident: Incident, links: Links) -> Message:
    """Return the message of a page: its root failures, in the order in which they stopped."""
    total = max(_failed(incident).get(page.step, 0), page.offset + len(jobs))
    last = min(page.offset + page.limit, total)
    which = counted(total, "job failed", "jobs failed")
    if total > page.limit:
        which += f"; {page.offset + 1:,} to {last:,} of them"
    listed = listing(jobs, incident=incident, links=links)
    title = section("\n".join([f"*{code(page.step, NAME_LIMIT)}*: {which}", *listed.common]))
    rest = [*_unknown(last - page.offset - len(jobs)), *_left_out(page, incident)]
    flow, step = (clip(escape(name), NAME_LIMIT) for name in (incident.flow, page.step))
    text = f"{flow}, step {step}: {which}"
    for detail in reversed(Detail):
        blocks = [title, *sections(listed.lines(page.offset + 1, detail)), *rest]
        if weight(blocks) <= MOST:
            break
    return Message(text, blocks)


def _failed(incident: Incident) -> dict[str, int]:
    return {step: tally.failed for step, tally in incident.steps.items() if tally.failed > 0}


def _unknown(number: int) -> list[Block]:
    if number <= 0:
        return []
    return [context(f"{counted(number, 'job', 'jobs')} of these: nothing is known any more.")]


def _left_out(page: Page, incident: Incident) -> list[Block]:
    """Return, on the last page, how many failures have none, and how to see them."""
    failed, shown = _failed(incident), pages(incident)
    told = sum(min(each.limit, failed[each.step] - each.offset) for each in shown)
    missing = sum(failed.values()) - told
    if missing <= 0 or page.number != len(shown):
        return []
    asked = ("--account", incident.account, "--flow", incident.flow, "--status", "FAILED")
    command = shlex.join(("ops-platform", "jobs", "list", *asked))
    more = counted(missing, "more root failure is", "more root failures are")
    return [context(f"{more} not listed here. All failed jobs: {code(command, _COMMAND_LIMIT)}")]
