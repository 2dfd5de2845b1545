"""Real flows fail in a real edition: one true message for each run, which ends up resolved."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from ops_platform.domain.incidents import digest_of
from ops_platform_tests.embedded.aws.accounts import Json
from ops_platform_tests.embedded.real_flows import DataScientist, Flow, Truth, awaited
from ops_platform_tests.embedded.slack_messages import Post, posts, words_of
from ops_platform_tests.embedded.up_process import Up, up

ADA, GRACE = "U0ADA00001", "U0GRACE001"
FLOWS = (
    Flow("nested_retries", "NestedRetries", "grace"),
    Flow("some_items", "proof.prod.SomeItems", "ada", ("--production",)),
    Flow("one_branch", "OneBranch", "ada"),
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Story:
    """A flow that failed and was fixed: how it was, and what was told of it."""

    flow: Flow
    run_id: str
    truth: Truth
    incident: Json
    told: Post
    incident_at_last: Json
    told_at_last: Post


@dataclass(frozen=True, slots=True)
class Stories:
    """All of them, and all that was posted into the channels by then."""

    each: tuple[Story, ...]
    staging: tuple[Post, ...]
    production: tuple[Post, ...]

    def of(self, flow: str) -> Story:
        """Return the story of a flow."""
        return next(story for story in self.each if story.flow.name == flow)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Let all flows fail at once, then run the fixed ones, while the edition is up."""
    folder = tmp_path_factory.mktemp("real")
    with up(folder / "state") as edition:
        edition.await_words("Running.", seconds=100)
        with ThreadPoolExecutor(len(FLOWS)) as pool:
            told = tuple(pool.map(partial(_happens, edition), FLOWS))
        return Stories(
            told,
            staging=tuple(posts(edition.state / "slack", "alerts-staging")),
            production=tuple(posts(edition.state / "slack", "alerts-production")),
        )


def _happens(edition: Up, flow: Flow) -> Story:
    """Run a flow that fails, and once that was told, the fixed one."""
    person = DataScientist(edition, "staging")
    person.deploy(flow)
    broken, fixed = (edition.state.parent / f"{flow.name}-{which}" for which in ("broken", "fixed"))
    broken.mkdir()
    fixed.mkdir()
    run_id = person.trigger(flow, "--truth", str(broken))
    execution = person.until_ended(flow, run_id)
    assert execution["status"] == "FAILED"
    truth = person.truth_of(execution, broken)
    several = len(truth.roots) > 1
    (told,) = awaited(
        lambda: _told(edition, run_id, threaded=several),
        seconds=180,
        what=f"the alert of {flow.name}",
    )
    incident = _incident(edition, run_id)
    again = person.trigger(flow, "--truth", str(fixed), "--fixed", "True")
    assert person.until_ended(flow, again)["status"] == "SUCCEEDED"
    (resolved,) = awaited(
        lambda: _resolved(edition, run_id), seconds=180, what=f"the resolution of {flow.name}"
    )
    return Story(flow, run_id, truth, incident, told, _incident(edition, run_id), resolved)


def _told(edition: Up, run_id: str, *, threaded: bool) -> list[Post]:
    """Return the message of a run, once its thread is there too if it is to have one."""
    found = posts(edition.state / "slack", "alerts-staging")
    of_run = (post for post in found if run_id in words_of(post.versions[0]))
    return [post for post in of_run if post.thread or not threaded]


def _resolved(edition: Up, run_id: str) -> list[Post]:
    return [post for post in _told(edition, run_id, threaded=True) if _says_resolved(post)]


def _says_resolved(post: Post) -> bool:
    return "recovered" in post.words and any("recovered" in each.words for each in post.thread)


def _incident(edition: Up, run_id: str) -> Json:
    (row,) = [row for row in edition.listed("incidents", "list") if row["run_id"] == run_id]
    return row


def test_there_is_one_message_for_each_run_that_failed(stories: Stories) -> None:
    """None for the runs that succeeded, and none in the other account's channel."""
    assert len(stories.staging) == len(FLOWS)
    assert not stories.production
    for story in stories.each:
        first = [words_of(post.versions[0]) for post in stories.staging]
        assert len([words for words in first if story.run_id in words]) == 1


@pytest.mark.parametrize(
    ("flow", "roots", "collateral"),
    [("SomeItems", 2, 2), ("OneBranch", 1, 1), ("NestedRetries", 2, 1)],
)
def test_root_failures_and_collateral_are_those_that_the_tasks_wrote_down(
    stories: Stories, flow: str, roots: int, collateral: int
) -> None:
    """Not by number alone: the incident holds a digest of the very jobs."""
    story = stories.of(flow)

    assert (len(story.truth.roots), len(story.truth.collateral)) == (roots, collateral)
    assert story.incident["failing"] == digest_of(story.truth.roots)
    assert story.incident["failed_jobs"] == roots
    assert story.incident["collateral_jobs"] == collateral
    assert story.incident["job_id"] in story.truth.roots


@pytest.mark.parametrize("flow", ["SomeItems", "NestedRetries"])
def test_the_thread_lists_each_root_failure_and_no_collateral(stories: Stories, flow: str) -> None:
    """A job that was cut off with the others is counted, and not listed."""
    story = stories.of(flow)
    thread = "".join(reply.words for reply in story.told.thread)

    assert all(thread.count(job) == 1 for job in story.truth.roots)
    assert not any(job in thread for job in story.truth.collateral)


def test_one_root_failure_alone_is_told_in_the_message(stories: Stories) -> None:
    """A thread would say nothing more."""
    story = stories.of("OneBranch")
    (job,) = story.truth.roots

    assert job in story.told.words
    assert not story.told.thread


def test_the_attempts_of_a_task_are_told(stories: Stories) -> None:
    """Those of a task with @retry, which failed twice; of one without there is nothing to tell."""
    retried, once = stories.of("NestedRetries"), stories.of("OneBranch")

    assert "2 attempts: exit 1, exit 1" in "".join(reply.words for reply in retried.told.thread)
    assert "attempts" not in once.told.words


@pytest.mark.parametrize(
    ("flow", "owner"), [("SomeItems", ADA), ("OneBranch", ADA), ("NestedRetries", GRACE)]
)
def test_the_owner_is_notified_once_and_nobody_else(
    stories: Stories, flow: str, owner: str
) -> None:
    """Neither by an edit nor in the thread; nor the channel, which the exception calls for."""
    story = stories.of(flow)

    assert story.told_at_last.pings == [owner]
    assert story.told.words.count(f"<@{owner}>") >= 1


@pytest.mark.parametrize("flow", [flow.name for flow in FLOWS])
def test_the_fixed_flow_resolves_the_message_in_place(stories: Stories, flow: str) -> None:
    """The same message says so now, and a note in its thread; the incident is resolved."""
    story = stories.of(flow)
    last = story.told_at_last

    assert last.now.ts == story.told.now.ts
    assert len(last.versions) > 1
    assert "recovered" in last.words
    assert "recovered" not in story.told.words
    assert [("recovered" in reply.words) for reply in last.thread].count(True) == 1
    assert (story.incident["state"], story.incident_at_last["state"]) == ("open", "resolved")


def test_no_message_was_edited_without_need(stories: Stories) -> None:
    """Each version shows something else than the one before."""
    for post in stories.staging:
        for before, after in zip(post.versions, post.versions[1:], strict=False):
            assert words_of(before) != words_of(after)
