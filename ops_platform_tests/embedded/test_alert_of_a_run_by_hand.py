"""`run --with batch` in a real edition: jobs without an execution, and who is told of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from ops_platform_tests.embedded.aws.accounts import Json
from ops_platform_tests.embedded.flows.ground_truth import FAILED, read
from ops_platform_tests.embedded.real_flows import DataScientist, Flow, awaited
from ops_platform_tests.embedded.slack_messages import Post, posts
from ops_platform_tests.embedded.up_process import Up, up

ACCOUNTS = ("staging", "production")
BY_HAND = Flow("by_hand", "ByHand", "grace")
GRACE = "U0GRACE001"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True, slots=True)
class Tried:
    """A run by hand: the job that failed, what the shell showed, and what became of it."""

    job_id: str
    output: str
    incident: Json
    posts: tuple[Post, ...]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tried]:
    """Try the same in both accounts, of which one is told."""
    folder = tmp_path_factory.mktemp("by-hand")
    with up(folder / "state") as edition:
        edition.await_words("Running.", seconds=100)
        with ThreadPoolExecutor(len(ACCOUNTS)) as pool:
            came = pool.map(partial(_try, edition), ACCOUNTS)
            return dict(zip(ACCOUNTS, came, strict=True))


def _try(edition: Up, account: str) -> Tried:
    person = DataScientist(edition, account)
    witnesses = edition.state.parent / account
    witnesses.mkdir()
    done = person.python(BY_HAND, "run", "--with", "batch", "--truth", str(witnesses))
    assert done.returncode != 0
    (attempt,) = read(witnesses)
    assert attempt.outcome == FAILED
    slack = edition.state / "slack"
    awaited(
        lambda: posts(slack, "alerts-production"),
        seconds=90,
        what="the alert in production",
    )
    (row,) = edition.listed("incidents", "list", "--account", account)
    incident = edition.shown("incidents", "show", row["id"])
    told = tuple(posts(slack, f"alerts-{account}"))
    return Tried(attempt.job_id, done.stdout + done.stderr, incident, told)


def test_a_run_by_hand_is_an_incident_of_its_own_kind(tried: dict[str, Tried]) -> None:
    """In both accounts: of one job, which failed by itself, of whoever started it."""
    for account, each in tried.items():
        assert each.incident["kind"] == "interactive_failed", each.output
        assert (each.incident["account"], each.incident["flow"]) == (account, "ByHand")
        assert (each.incident["failed_jobs"], each.incident["collateral_jobs"]) == (1, 0)
        assert each.incident["job_id"] == each.job_id
        assert each.incident["owner"] == "grace"
        assert each.incident["execution_arn"] is None


def test_in_production_it_is_told_to_whoever_started_it(tried: dict[str, Tried]) -> None:
    """One message, one mention; of one job there is no more to say in a thread."""
    (post,) = tried["production"].posts

    assert post.pings == [GRACE]
    assert "run by hand" in post.words
    assert tried["production"].job_id in post.words
    assert not post.thread


def test_in_staging_it_is_withheld_with_the_reason(tried: dict[str, Tried]) -> None:
    """Whoever runs a flow by hand sees it fail."""
    (alert,) = tried["staging"].incident["alerts"]

    assert not tried["staging"].posts
    assert alert["state"] == "withheld"
    assert "interactive runs" in alert["reason"]
