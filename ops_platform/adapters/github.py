"""Pull requests as GitHub tells of them, through its REST API.

Sources: GitHub's documentation of its REST API for pulls, reviews, comparisons, statuses, check
runs, branches and rules.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ops_platform.domain.errors import PlatformError
from ops_platform.domain.pull_requests import Approval, PullRequest, RequiredCheck

if TYPE_CHECKING:
    from github import Github
    from github.GithubApp import GithubApp
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.PullRequest import PullRequest as GitHubPull
    from github.PullRequestPart import PullRequestPart
    from github.Repository import Repository

T = TypeVar("T")
_SECONDS = 15
_ATTEMPTS = 3
# Longer than this nobody who waits for an answer waits for GitHub's rate limit to be over.
_LONGEST_WAIT = 30.0
_PAUSES = (1.0, 2.0, 4.0)
_MAY_WRITE = frozenset({"admin", "write"})  # as GitHub tells it: maintain comes as write
_WORST_FIRST = ("failure", "pending")
_WELL = frozenset({"success", "neutral", "skipped"})
_STATES = {"success": "success", "pending": "pending", "failure": "failure", "error": "failure"}


class GitHubError(PlatformError):
    """GitHub cannot be asked, or refuses."""


class GitHubPullRequests:
    """The pull requests of GitHub's repositories; fulfils `PullRequests`.

    Args:
        api_url: Its REST API.
        token: A token that may read pull requests, statuses and who collaborates.
        sleep: Waits while GitHub works out whether a pull request can be merged.
    """

    def __init__(
        self, api_url: str, token: str | None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._api_url = api_url
        self._token = token
        self._sleep = sleep

    def get(self, repository: str, number: int) -> PullRequest | None:
        """Return a pull request as it is now, None if there is none."""
        with _explained(f"read {repository}#{number}"):
            home = self._github.get_repo(repository)
            found = _or_none(lambda: self._worked_out(home, number))
            return self._told(home, found) if found else None

    def _worked_out(self, repository: "Repository", number: int) -> "GitHubPull":
        """Return a pull request; whether it can be merged GitHub works out once it is asked."""
        pull = repository.get_pull(number).complete()
        for seconds in _PAUSES:
            if pull.state != "open" or pull.raw_data.get("mergeable") is not None:
                break
            self._sleep(seconds)
            pull = repository.get_pull(number).complete()
        return pull

    def _told(self, repository: "Repository", pull: "GitHubPull") -> PullRequest:
        head, base = pull.head, pull.base
        reviews = list(_latest_reviews(pull))
        may_write = cache(lambda user: self._may_write(repository, user))
        return PullRequest(
            repository=repository.full_name,
            number=pull.number,
            title=pull.title,
            author=pull.user.login,
            head=head.sha,
            branch=head.ref,
            base=base.ref,
            link=pull.html_url,
            is_open=pull.state == "open",
            is_draft=pull.draft,
            # The repository of a fork can be gone, and the pull request stays.
            from_fork=_name(head) != _name(base),
            mergeable=pull.mergeable,
            up_to_date=repository.compare(base.ref, head.sha).behind_by == 0,
            approvals=tuple(
                Approval(user, commit)
                for user, state, commit in reviews
                if state == "APPROVED" and may_write(user)
            ),
            changes_requested_by=tuple(
                user
                for user, state, _ in reviews
                if state == "CHANGES_REQUESTED" and may_write(user)
            ),
            required_checks=tuple(_required(repository, base.ref, head.sha)),
            default_branch=(base.raw_data.get("repo") or {}).get("default_branch"),
            committers=tuple(sorted(_committers(pull))),
        )

    def _may_write(self, repository: "Repository", user: str) -> bool:
        """Tell whether a review of somebody's counts: whoever may read can write one."""
        permission = _or_none(lambda: repository.get_collaborator_permission(user))
        return permission in _MAY_WRITE

    @property
    def _github(self) -> "Github":
        from github import Auth, Github, GithubRetry  # noqa: PLC0415, it takes a third of a second

        return Github(
            auth=Auth.Token(self._token) if self._token else None,
            base_url=self._api_url.rstrip("/"),
            timeout=_SECONDS,
            retry=GithubRetry(total=_ATTEMPTS, max_rate_limit_wait=_LONGEST_WAIT),
            per_page=100,
            seconds_between_requests=0,  # which GitHub asks for writes alone
            lazy=True,  # a repository is asked for nothing but what is in it
        )


def _name(part: "PullRequestPart") -> str | None:
    told = part.raw_data.get("repo")
    return told and str(told.get("full_name"))


def _latest_reviews(pull: "GitHubPull") -> Iterator[tuple[str, str, str]]:
    """Yield each reviewer's last word: who, what, of which commit. A comment takes nothing back."""
    last: dict[str, tuple[str, str, str]] = {}
    for review in pull.get_reviews():
        if review.state != "COMMENTED" and review.user is not None:
            last[review.user.login] = (review.user.login, review.state, review.commit_id or "")
    yield from last.values()


def _committers(pull: "GitHubPull") -> set[str]:
    """Return who wrote or committed its commits; of up to 250, which is all that GitHub tells."""
    people: list[NamedUser | None] = []  # None of an address that GitHub does not know
    for each in pull.get_commits():
        people += each.author, each.committer
    return {who.login for who in people if who is not None}


def _required(repository: "Repository", base: str, commit: str) -> Iterator[RequiredCheck]:
    """Yield the checks that a branch demands, by its protection or a rule, as a commit has them."""
    if demanded := _demanded(repository, base):
        states = list(_states(repository, commit))
        for name, app in sorted(demanded, key=str):
            seen = {each.state for each in states if each.name == name and each.is_by(app)}
            # Of several by one name, as a status and a check run, all must have passed.
            worst = next((each for each in _WORST_FIRST if each in seen), None)
            yield RequiredCheck(name, worst or next(iter(seen), "pending"))


def _demanded(repository: "Repository", base: str) -> set[tuple[str, int | None]]:
    """Return the checks by name, and which app must make them if that is said."""
    protection = repository.get_branch(base).raw_data.get("protection") or {}
    told = protection.get("required_status_checks") or {}
    demanded = {_demand(check, "app_id") for check in told.get("checks") or ()}
    known = {name for name, _ in demanded}
    demanded |= {(str(name), None) for name in told.get("contexts") or () if name not in known}
    url = f"{repository.url}/rules/branches/{base}"
    # PyGithub has no method for what rules come to for a branch.
    _, rules = repository.requester.requestJsonAndCheck("GET", url)
    for rule in rules if isinstance(rules, list) else ():
        demanded |= set(_contexts(rule))
    return demanded


def _contexts(rule: dict[str, Any]) -> Iterable[tuple[str, int | None]]:
    if rule.get("type") != "required_status_checks":
        return []
    checks = (rule.get("parameters") or {}).get("required_status_checks") or ()
    return [_demand(check, "integration_id") for check in checks]


def _demand(check: dict[str, Any], key: str) -> tuple[str, int | None]:
    app = check.get(key)
    return str(check.get("context")), app if app is not None and app > 0 else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A status or a check run.

    ``app`` is the id of what made a check run, 0 if that is gone, and None of a status.
    """

    name: str
    state: str
    app: int | None
    by_bot: bool

    def is_by(self, app: int | None) -> bool:
        """Tell whether it is by an app; of a status it is known only that some app made it."""
        return app is None or self.app == app or (self.app is None and self.by_bot)


def _states(repository: "Repository", commit: str) -> Iterator[_Seen]:
    found = repository.get_commit(commit)
    seen: set[str] = set()
    for status in found.get_statuses():  # the newest first
        if status.context not in seen:
            seen.add(status.context)
            # None once the account is gone.
            creator: NamedUser | Organization | None = status.creator
            by_bot = creator is not None and creator.type == "Bot"
            state = _STATES.get(status.state, status.state)
            yield _Seen(status.context, state, None, by_bot)
    for run in found.get_check_runs():
        done = run.status == "completed"
        well = "success" if run.conclusion in _WELL else "failure"
        app: GithubApp | None = run.app  # None once the app is gone
        yield _Seen(run.name, well if done else "pending", app.id if app else 0, by_bot=False)


def _or_none(ask: Callable[[], T]) -> T | None:
    """Return what GitHub answers, None where it says that there is no such thing."""
    from github import UnknownObjectException  # noqa: PLC0415 (as above)

    try:
        return ask()
    except UnknownObjectException:
        return None


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn what PyGithub raises into a sentence, without headers or tokens."""
    import requests  # noqa: PLC0415 (as above)
    from github import GithubException  # noqa: PLC0415 (as above)

    try:
        yield
    except GithubException as error:
        data = error.data if isinstance(error.data, dict) else {}
        said = data.get("message") or type(error).__name__
        raise GitHubError(f"Could not {doing}. GitHub says: {error.status} {said}.") from None
    except requests.RequestException as error:
        raise GitHubError(f"Could not {doing}: {type(error).__name__}.") from None
