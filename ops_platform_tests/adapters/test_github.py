"""Pull requests over real HTTP: what each answer of GitHub's makes of them."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.github import GitHubError, GitHubPullRequests
from ops_platform.domain.pull_requests import Approval, PullRequest, RequiredCheck
from ops_platform_tests.fake_github import FakeGitHub, FakePull, serving

HEAD, EARLIER = "a" * 40, "b" * 40


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Give a server with one pull request, of Ada's."""
    fake = FakeGitHub(permissions={"grace": "write", "linus": "admin", "eve": "read"})
    fake.open(FakePull(12, HEAD))
    with serving(fake):
        yield fake


def _read(github: FakeGitHub, token: str | None = "ghp_test") -> PullRequest:
    reader = GitHubPullRequests(github.url, token, sleep=lambda _: None)
    found = reader.get("acme/flows", 12)
    assert found is not None
    return found


def test_a_pull_request_is_read_whole(github: FakeGitHub) -> None:
    """With its head, its branch and what the host knows of merging it."""
    github.pulls[12].review("grace")
    assert _read(github) == PullRequest(
        repository="acme/flows",
        number=12,
        title="Forecast by region",
        author="ada",
        head=HEAD,
        branch="by-region",
        base="main",
        link="https://github.example.com/acme/flows/pull/12",
        mergeable=True,
        up_to_date=True,
        approvals=(Approval("grace", HEAD),),
        default_branch="main",
        committers=("ada",),
    )


def test_who_wrote_its_commits_is_told(github: FakeGitHub) -> None:
    """All pages of them; of some GitHub knows nobody."""
    github.pulls[12].committers = [*["ada"] * 100, None, "grace"]
    assert _read(github).committers == ("ada", "grace")


def test_what_speaks_against_it_is_told(github: FakeGitHub) -> None:
    """A fork, a draft, conflicts, commits that it lacks."""
    pull = github.pulls[12]
    pull.fork, pull.draft, pull.mergeable, pull.behind_by = "eve/flows", True, None, 3
    pull.state = "closed"
    found = _read(github)
    assert (found.from_fork, found.is_draft, found.mergeable) == (True, True, None)
    assert (found.up_to_date, found.is_open) == (False, False)


def test_the_last_word_of_each_reviewer_counts(github: FakeGitHub) -> None:
    """A comment takes nothing back; a dismissal does."""
    pull = github.pulls[12]
    pull.review("grace", commit=EARLIER)
    pull.review("grace", "COMMENTED")
    pull.review("linus")
    pull.review("linus", "CHANGES_REQUESTED")
    found = _read(github)
    assert found.approvals == (Approval("grace", EARLIER),)
    assert found.changes_requested_by == ("linus",)
    pull.review("grace", "DISMISSED")
    pull.review("eve", "CHANGES_REQUESTED")
    assert (_read(github).approvals, _read(github).changes_requested_by) == ((), ("linus",))


def test_an_approval_of_who_may_only_read_does_not_count(github: FakeGitHub) -> None:
    """Whoever may read a repository can approve; nor does one of somebody unknown."""
    github.pulls[12].review("eve")
    github.pulls[12].review("mallory")
    assert _read(github).approvals == ()


def test_all_pages_of_reviews_are_read(github: FakeGitHub) -> None:
    """The last word may stand on the second."""
    for _ in range(100):
        github.pulls[12].review("grace", "CHANGES_REQUESTED")
    github.pulls[12].review("grace")
    assert _read(github).approvals == (Approval("grace", HEAD),)


def test_required_checks_are_those_of_protection_and_rules(github: FakeGitHub) -> None:
    """Each as the head has it, as a status or as a check run; one that is missing is pending."""
    github.required, github.rules = ["tests", "docs"], ["lint", "types", "soon"]
    github.statuses[HEAD] = {"tests": "success", "docs": "error", "other": "failure"}
    github.check_runs[HEAD] = {"lint": "skipped", "types": "timed_out", "soon": None}
    assert _read(github).required_checks == (
        RequiredCheck("docs", "failure"),
        RequiredCheck("lint", "success"),
        RequiredCheck("soon", "pending"),
        RequiredCheck("tests", "success"),
        RequiredCheck("types", "failure"),
    )
    github.statuses.clear()
    assert RequiredCheck("tests", "pending") in _read(github).required_checks


@pytest.mark.parametrize("by_rule", [False, True])
def test_a_check_counts_from_the_app_that_is_demanded(github: FakeGitHub, *, by_rule: bool) -> None:
    """Else whoever may set a status could say that tests passed."""
    names, github.apps = ["build", "tests"], {"build": 77, "tests": 77}
    github.required, github.rules = ([], names) if by_rule else (names, [])
    github.statuses[HEAD], github.check_runs[HEAD] = {"build": "success"}, {"tests": "success"}
    well = (RequiredCheck("build", "success"), RequiredCheck("tests", "success"))
    assert _read(github).required_checks == well
    github.impostors = {"build", "tests"}
    unseen = (RequiredCheck("build", "pending"), RequiredCheck("tests", "pending"))
    assert _read(github).required_checks == unseen


def test_of_two_checks_by_one_name_both_must_pass(github: FakeGitHub) -> None:
    """A status and a check run."""
    github.required = ["tests"]
    github.statuses[HEAD], github.check_runs[HEAD] = {"tests": "failure"}, {"tests": "success"}
    assert _read(github).required_checks == (RequiredCheck("tests", "failure"),)


def test_there_may_be_none(github: FakeGitHub) -> None:
    """Nor is that an error."""
    assert GitHubPullRequests(github.url, "ghp_test").get("acme/flows", 13) is None


def test_a_refusal_is_told_without_the_token(github: FakeGitHub) -> None:
    """In a sentence."""
    with pytest.raises(GitHubError, match=r"read acme/flows#12\. GitHub says: 401 Bad") as caught:
        _read(github, "ghp_wrong")
    assert "ghp_wrong" not in str(caught.value)


def test_a_passing_trouble_is_tried_again(github: FakeGitHub) -> None:
    """GitHub has those."""
    github.failures = [(502, {"message": "Server Error"})]
    assert _read(github).number == 12


def test_a_host_that_is_down_is_told() -> None:
    """As something that could not be asked."""
    with pytest.raises(GitHubError, match="Could not read acme/flows#1: ConnectionError"):
        GitHubPullRequests("http://127.0.0.1:1", None).get("acme/flows", 1)


def test_whether_it_can_be_merged_is_waited_for(github: FakeGitHub) -> None:
    """GitHub works that out once it is asked; a while, and not for ever."""
    pull, waited = github.pulls[12], []
    pull.mergeable = None

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        pull.mergeable = True if len(waited) == 2 else None

    found = GitHubPullRequests(github.url, "ghp_test", sleep=sleep).get("acme/flows", 12)
    assert found is not None
    assert (found.mergeable, waited) == (True, [1.0, 2.0])
