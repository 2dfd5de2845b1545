"""The thread: every root failure up to a limit, page by page, each with what is known of it."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.alert_message import Message, render_plain
from ops_platform.domain.detail_pages import (
    JOBS_A_PAGE,
    MOST_JOBS_A_PAGE,
    MOST_PAGES,
    Page,
    pages,
    render_page,
)
from ops_platform.domain.incidents import Incident, Tally
from ops_platform.domain.lifecycle import Job
from ops_platform_tests.build import RUN, an_incident
from ops_platform_tests.stories import LINKS, NO_LINKS, a_root_failure, check, shown

FIRST = Page("work", 1, 0, JOBS_A_PAGE)


def _incident(**failed: int) -> Incident:
    steps = {step: Tally(failed=number) for step, number in failed.items()}
    return an_incident(steps=steps, failed_jobs=sum(failed.values()))


def _render(
    jobs: Sequence[Job], page: Page = FIRST, incident: Incident | None = None, **given: Any
) -> Message:
    incident = incident or _incident(work=len(jobs))
    message = render_page(page, jobs, incident=incident, **({"links": LINKS} | given))
    check(message)
    return message


def _lines(message: Message) -> list[str]:
    text = re.sub(r"<!date[^|]+\|([^>]+)>", r"\1", shown(message))
    return re.findall(r"^\d.*", re.sub(r"<[^|<>]+\|([^>]+)>", r"[\1]", text), re.MULTILINE)


def test_the_worst_step_comes_first() -> None:
    """Each step has pages of its own; one without a root failure has none."""
    found = pages(_incident(start=0, score=1, work=45))

    assert [(page.step, page.offset) for page in found] == [
        ("work", 0),
        ("work", 20),
        ("work", 40),
        ("score", 0),
    ]
    assert [page.number for page in found] == [1, 2, 3, 4]


def test_one_step_does_not_crowd_out_the_others() -> None:
    """Each gets its first page before any gets its second."""
    found = pages(_incident(work=10_000, score=30, join=1))

    assert len(found) == MOST_PAGES
    assert {page.limit for page in found} == {MOST_JOBS_A_PAGE}
    assert [page.step for page in found] == ["work"] * 17 + ["score"] * 2 + ["join"]


def test_a_failure_alone_has_no_page() -> None:
    """The message tells all of it; two steps with one each have two."""
    assert pages(_incident(start=0, work=1)) == []
    assert [page.step for page in pages(_incident(work=1, join=1))] == ["join", "work"]
    assert len(pages(an_incident(failed_jobs=2, steps={"work": Tally(failed=1)}))) == 1


_numbers = st.dictionaries(st.text(max_size=3), st.integers(0, 3000), max_size=40)


@given(_numbers.filter(lambda failed: sum(failed.values()) != 1))
def test_pages_never_overlap_and_leave_out_nothing_while_there_is_room(
    failed: dict[str, int],
) -> None:
    """They follow from the numbers alone."""
    found = pages(_incident(**failed))
    reached = {step: 0 for step, number in failed.items() if number}

    assert [page.number for page in found] == list(range(1, len(found) + 1))
    for page in found:
        assert page.offset == reached[page.step] < failed[page.step]
        reached[page.step] = min(page.offset + page.limit, failed[page.step])
    size = {page.limit for page in found}
    assert len(size) <= 1
    needed = sum(-(-number // max(size)) for number in failed.values()) if size else 0
    assert len(found) == min(needed, MOST_PAGES)


def test_five_hundred_failures_are_all_listed() -> None:
    """More on a page, so that none is left out."""
    incident = _incident(**{f"step{number}": 100 for number in range(5)})

    assert sum(page.limit for page in pages(incident)) == 500


def test_a_line_says_which_job_when_how_long_why_and_where() -> None:
    """With links to its task and its log."""
    job = a_root_failure(5, exits=(1, 137), status_reason="Host EC2 gone.")
    message = _render([job, a_root_failure(6)])

    first, second = _lines(message)
    assert first == (
        "1. [00000005] 12:00:06 UTC, after 6 s · *host lost*, 2 attempts: exit 1, exit 137 "
        "(SIGKILL): `Host EC2 gone.` · on `00000005` · [log]"
    )
    assert second == (
        "2. [00000006] 12:00:07 UTC, after 7 s · *user exception*, exit code 1"
        " · on `00000006` · [log]"
    )
    task = LINKS.task("TrainFlow", f"sfn-{RUN}", "work", job.latest.job_id)
    assert f"<{task}?attempt=1|00000005>" in shown(message)
    assert f"<{LINKS.log(str(job.latest.log_stream))}|log>" in shown(message)


def test_what_all_jobs_of_a_page_have_in_common_is_said_once() -> None:
    """A host that all of them ran on is a hint."""
    host = "arn:aws:ecs:eu-west-1:222222222222:container-instance/flows/9c1e1b2d3f4a"
    jobs = [a_root_failure(at, exits=(1, 1), container_instance=host) for at in range(3)]
    message = _render(jobs)

    assert "*`work`*: 3 jobs failed\nEach: *user exception*, 2 attempts: exit 1, exit 1\n" in (
        shown(message)
    )
    assert "All of them on host `9c1e1b2d`" in shown(message)
    assert _lines(message)[0] == "1. [00000000] 12:00:01 UTC, after 1 s · [log]"


def test_a_plain_page_keeps_what_its_jobs_have_in_common() -> None:
    """It has no headline, so that its first paragraph is said nowhere else."""
    plain = render_plain(_render([a_root_failure(at, exits=(1, 1)) for at in range(3)]))

    assert "Each: *user exception*, 2 attempts: exit 1, exit 1\n" in plain.text
    assert "\n1. " in plain.text


def test_a_page_says_which_of_how_many_it_has() -> None:
    """And numbers them accordingly."""
    jobs = [a_root_failure(at) for at in range(20)]
    message = _render(jobs, Page("work", 3, 40, 20), _incident(work=342))

    assert message.text == "TrainFlow, step work: 342 jobs failed; 41 to 60 of them"
    assert _lines(message)[0].startswith("41. [00000000]")


def test_only_the_last_page_says_what_is_left_out_and_how_to_see_it() -> None:
    """By a command that can be pasted."""
    incident = _incident(work=10_000, score=1)
    jobs = [a_root_failure(0)]
    first, last = pages(incident)[0], pages(incident)[-1]

    assert "not listed" not in shown(_render(jobs * 25, first, incident))
    assert (
        "9,525 more root failures are not listed here. All failed jobs: `ops-platform jobs list"
        " --account production --flow TrainFlow --status FAILED`"
    ) in shown(_render(jobs, last, incident))


def test_if_nothing_is_left_out_nothing_is_said() -> None:
    """The last page ends with its last job."""
    assert "not listed" not in shown(_render([a_root_failure(0)]))


def test_jobs_that_nobody_knows_any_more_are_counted() -> None:
    """The ledger may have changed since the page was planned."""
    message = _render([a_root_failure(0)], incident=_incident(work=3))

    assert "2 jobs of these: nothing is known any more." in shown(message)
    assert "3 jobs of these" in shown(_render([], incident=_incident(work=3)))


def test_failures_on_different_days_have_their_dates() -> None:
    """And one alone has it too."""
    alone = _lines(_render([a_root_failure(0)]))
    far = _lines(_render([a_root_failure(0), a_root_failure(50_000)]))

    assert alone[0].startswith("1. [00000000] 2 Mar 2026 12:00:01 UTC, after 1 s")
    assert far[1].startswith("2. [0000c350] 3 Mar 2026 01:53:21 UTC, after 13 h 53 min")


def test_a_job_that_never_started_says_so() -> None:
    """It has neither a host nor a log."""
    job = a_root_failure(
        0, started_at=None, container_instance=None, log_stream=None, exits=(1,), exit_code=None,
        attempts=(), status_reason="CannotPullContainerError: no such image",
    )  # fmt: skip

    [line] = _lines(_render([job]))
    assert line == (
        "1. [00000000] 2 Mar 2026 12:00:01 UTC, never started · *image pull failed*, no exit code: "
        "`CannotPullContainerError: no such image`"
    )


def test_without_a_ui_the_whole_id_is_shown() -> None:
    """Since no link shows it."""
    text = shown(_render([a_root_failure(7)], links=NO_LINKS))

    assert "1. `00000007-51f7-4bb3-9f59-5a3a2f6d8a10` <!date" in text
    assert "|log>" in text


@pytest.mark.parametrize(("stream", "logs"), [("s" * 100, JOBS_A_PAGE), ("s" * 400, 0)])
def test_if_there_is_no_room_for_all_links_those_to_logs_go_first(stream: str, logs: int) -> None:
    """Of all jobs of the page, so that the list reads evenly."""
    jobs = [a_root_failure(at, log_stream=stream) for at in range(JOBS_A_PAGE)]
    text = shown(_render(jobs))

    assert text.count("|log>") == logs
    assert text.count("?attempt=") == JOBS_A_PAGE


def test_if_there_is_no_room_for_any_link_ids_remain() -> None:
    """They lead to the job as well."""
    jobs = [a_root_failure(at) for at in range(JOBS_A_PAGE)]
    incident = an_incident(flow="f" * 400, steps={"work": Tally(failed=JOBS_A_PAGE)})
    text = shown(_render(jobs, incident=incident))

    assert "?attempt=" not in text
    assert text.count("-51f7-4bb3-9f59-5a3a2f6d8a10`") == JOBS_A_PAGE
