"""A real flow can never start, in a real edition: it is explained and ended, the next one runs."""

from dataclasses import dataclass

import pytest

from ops_platform.domain.reasons import STALE_MARK
from ops_platform_tests.embedded.aws.accounts import Json
from ops_platform_tests.embedded.real_flows import DataScientist, Flow, awaited
from ops_platform_tests.embedded.slack_messages import Post, posts, words_of
from ops_platform_tests.embedded.up_process import Up, up

HUGE = Flow("asks_too_much", "AsksTooMuch", "ada")
BEHIND = Flow("comes_behind", "ComesBehind", "grace")
ADA = "U0ADA00001"
# The embedded edition looks each minute, and cancels in this queue after one.
CANCELLED_WITHIN = 240
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Story:
    """What became of both flows, and what was told of it."""

    run_id: str
    waited: Json
    job: Json
    execution: Json
    behind: Json
    behind_job: Json
    cancellations: list[Json]
    incidents: list[Json]
    posts: tuple[Post, ...]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Let one flow ask for too much and another one come behind it; wait until all is told."""
    folder = tmp_path_factory.mktemp("stale")
    with up(folder / "state") as edition:
        edition.await_words("Running.", seconds=100)
        person = DataScientist(edition, "staging")
        person.deploy(HUGE)
        person.deploy(BEHIND)
        run_id = person.trigger(HUGE)
        (waited,) = awaited(lambda: _waiting(person), seconds=60, what="the job that waits")
        behind_id = person.trigger(BEHIND)
        execution = person.until_ended(HUGE, run_id)
        behind = person.until_ended(BEHIND, behind_id)
        awaited(lambda: _of_run(edition, run_id), seconds=120, what="the alert")
        awaited(lambda: _settled(edition), seconds=120, what="what came of the cancellation")
        return Story(
            run_id=run_id,
            waited=waited,
            job=person.aws.job(waited["jobId"]),
            execution=execution,
            behind=behind,
            behind_job=person.aws.jobs_of(behind["executionArn"])[-1],
            cancellations=edition.listed("cancellations", "list"),
            incidents=edition.listed("incidents", "list"),
            posts=tuple(posts(edition.state / "slack", "alerts-staging")),
        )


def _waiting(person: DataScientist) -> list[Json]:
    listed = person.aws.client("batch").list_jobs(jobQueue="stuck", jobStatus="RUNNABLE")
    return list(listed["jobSummaryList"])


def _of_run(edition: Up, run_id: str) -> list[Post]:
    found = posts(edition.state / "slack", "alerts-staging")
    return [post for post in found if run_id in words_of(post.versions[0])]


def _settled(edition: Up) -> list[Json]:
    return [row for row in edition.listed("cancellations", "list") if row["settled_at"]]


def test_the_job_is_cancelled_for_a_reason_that_names_us(story: Story) -> None:
    """It never had an attempt; the reason says who did it, why, and what to change."""
    assert story.job["status"] == "FAILED"
    assert story.job["isCancelled"]
    assert story.job["statusReason"].startswith(STALE_MARK)
    assert "999" in story.job["statusReason"]
    assert story.job["attempts"] == []


def test_it_was_not_cancelled_before_its_time(story: Story) -> None:
    """A minute for the queue of the demo, of the job's being RUNNABLE."""
    waited = story.job["stoppedAt"] - story.waited["createdAt"]
    assert 60_000 <= waited <= CANCELLED_WITHIN * 1000


def test_its_run_fails_and_the_one_behind_succeeds(story: Story) -> None:
    """As soon as the way is free, and not before."""
    assert story.execution["status"] == "FAILED"
    assert story.behind["status"] == "SUCCEEDED"
    assert story.behind_job["startedAt"] >= story.job["stoppedAt"]


def test_the_cancellation_is_on_record_with_its_outcome(story: Story) -> None:
    """One row, for the one job: whose it was, why it could not start, what came of it."""
    (row,) = story.cancellations
    assert (row["job_id"], row["queue"]) == (story.job["jobId"], "stuck")
    assert (row["flow"], row["step"], row["owner"]) == ("AsksTooMuch", "start", "ada")
    assert (row["verdict"], row["outcome"]) == ("cancel", "cancelled")
    assert "999" in row["diagnosis"]
    assert row["diagnosis"] in story.job["statusReason"]


def test_the_owner_gets_one_alert_whose_reason_is_the_diagnosis(story: Story) -> None:
    """The cancellation and the failed run are one message, which mentions its owner once."""
    (row,) = story.cancellations
    (post,) = [post for post in story.posts if ADA in post.words or story.run_id in post.words]
    assert story.run_id in words_of(post.versions[0])
    assert row["diagnosis"] in post.words
    assert "Traceback" not in post.words
    assert post.pings == [ADA]


def test_the_run_is_one_incident_and_the_other_run_none(story: Story) -> None:
    """Of the run that failed, with its one job."""
    (incident,) = [row for row in story.incidents if row["run_id"] == story.run_id]
    assert (incident["flow"], incident["failed_jobs"]) == ("AsksTooMuch", 1)
    assert not [row for row in story.incidents if row["flow"] == "ComesBehind"]
