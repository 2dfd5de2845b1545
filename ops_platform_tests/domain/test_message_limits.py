"""Whatever a flow is called, says or does, every message can be posted, and pings nobody else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.alert_message import render
from ops_platform.domain.burst_message import render_burst
from ops_platform.domain.bursts import Burst, By
from ops_platform.domain.detail_pages import MOST_JOBS_A_PAGE, Page, pages, render_page
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.incidents import Incident
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.notes import render_note
from ops_platform.domain.standstill import Standstill
from ops_platform.domain.story import JobLog, Story
from ops_platform.domain.telling import Why
from ops_platform_tests.build import NOON, an_incident
from ops_platform_tests.stories import (
    ANA,
    LINKS,
    a_root_failure,
    a_story,
    check,
    incidents,
    jobs,
    maybe_key,
    stories,
)

ATTACKS = [
    "<!channel>",
    "<!here|x>",
    "<@U0GRACE001>",
    "<!subteam^S0123|team>",
    "<https://evil.example|click>",
    "`code`",
    "```",
    "*bold* _it_ ~no~",
    "@channel @here @everyone",
    "&lt;!channel&gt;",
    "\u202eevil",
    "\x00\x1b[31mred",
    "a\n> quote\n• item",
]


@given(stories, st.sampled_from(Why))
def test_every_alert_and_note_can_be_posted(story: Story, why: Why) -> None:
    """Within the limits that Slack documents and the one that it does not."""
    called = ["U0ADA00001"]

    check(render(story, NOON), called=called)
    check(render_note(why, story, now=NOON), called=called)


@given(st.lists(jobs, max_size=MOST_JOBS_A_PAGE), incidents, st.integers(0, 10**6))
def test_every_page_can_be_posted(found: list[Job], incident: Incident, offset: int) -> None:
    """Whatever is on it, and whether or not the incident still has it."""
    for page in (*pages(incident)[-1:], Page("work", 3, offset, MOST_JOBS_A_PAGE)):
        check(render_page(page, found, incident=incident, links=LINKS))


@given(
    st.lists(incidents, min_size=1, max_size=12),
    st.sampled_from(By),
    st.lists(st.just(ANA), max_size=20),
    maybe_key,
)
def test_every_burst_can_be_posted(
    members: list[Incident], by: By, mentions: Sequence[str], meant_for: str | None
) -> None:
    """Whoever is in it."""
    message = render_burst(
        Burst(by, members), links=LINKS, mentions=mentions, meant_for=meant_for, now=NOON
    )

    check(message, called=["U0ADA00001"])


@pytest.mark.parametrize("attack", ATTACKS)
def test_foreign_text_stays_text(attack: str) -> None:
    """Wherever it stands, it opens no tag, no code and no mention of anybody."""
    names = ("flow", "run_id", "owner", "project", "branch", "error", "step", "job_id", "reason")
    log = JobLog(attack, attack, truncated=True, absence=None)
    job = a_root_failure(1, job_id=attack, status_reason=attack, log_stream=attack)
    story = a_story(
        **dict.fromkeys(names, attack), log=log, job=job, mention=None, meant_for=attack
    )

    held_up = Standstill(
        sentence=attack, advice=attack, cause=attack, evidence=(Figure(attack, attack, attack),),
        policy=attack, job_id=attack, step=attack, queue=attack,
    )  # fmt: skip

    for told in (story, replace(story, standstill=held_up)):
        check(render(told, NOON))
        for why in Why:
            check(render_note(why, told, now=NOON))
    check(render_page(Page(attack, 1, 0, 1), [job], incident=story.incident, links=LINKS))
    burst = Burst(By.CAUSE, [story.incident, an_incident()])
    check(render_burst(burst, links=LINKS, mentions=[], meant_for=attack, now=NOON))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_headline_is_one_line_of_printable_text(attack: str) -> None:
    """It is plain text, so markup means nothing in it."""
    headline = render(a_story(flow=attack), NOON).blocks[0]["text"]

    assert headline["type"] == "plain_text"
    assert headline["text"].isprintable()


@given(stories)
def test_the_same_story_is_the_same_message(story: Story) -> None:
    """By its digest it is decided whether to edit what stands there."""
    assert render(story, NOON) == render(story, NOON)
