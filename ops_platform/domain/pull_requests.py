"""A pull request as its host describes it, and whether a review stands behind its commit."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ops_platform.domain.checks import REVIEW
from ops_platform.domain.findings import Finding
from ops_platform.domain.words import counted, listed


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's latest word on a pull request, where it approves; ``commit`` is what they saw."""

    by: str
    commit: str


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check of the host's own that must pass; ``state`` is success, failure or pending."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request at one moment.

    ``branch`` is the name of its branch; ``from_fork`` tells that this is in a repository of
    somebody else's. ``default_branch`` is the repository's, None if that is not told, and
    ``committers`` are who wrote or committed its commits, as the host knows them. ``mergeable``
    and ``up_to_date`` are None while the host has not worked them out.
    """

    repository: str
    number: int
    title: str
    author: str
    head: str
    branch: str
    base: str
    link: str
    is_open: bool = True
    is_draft: bool = False
    from_fork: bool = False
    mergeable: bool | None = None
    up_to_date: bool | None = None
    approvals: tuple[Approval, ...] = ()
    changes_requested_by: tuple[str, ...] = ()
    required_checks: tuple[RequiredCheck, ...] = ()
    default_branch: str | None = None
    committers: tuple[str, ...] = ()


class PullRequests(Protocol):
    """The pull requests of the repositories that may be promoted from."""

    def get(self, repository: str, number: int) -> PullRequest | None:
        """Return a pull request as it is now, None if there is none.

        Raises:
            PlatformError: The host cannot be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """What a pull request needs before its flow may go to production.

    ``approvals`` is how many people other than its author must have approved its head commit.
    ``own_checks`` are the names of checks that our own findings feed, so they are not waited for.
    ``bases`` are the branches that lead to production, by default the repository's default one.
    ``by_committers`` lets the approval of somebody count who wrote commits of it.
    """

    approvals: int = 1
    up_to_date: bool = True
    required_checks: bool = True
    own_checks: Collection[str] = ()
    bases: Collection[str] = ()
    by_committers: bool = False


def judge_review(pull: PullRequest, *, commit: str, policy: ReviewPolicy) -> list[Finding]:
    """Return what speaks against a pull request, or one finding that nothing does."""
    if found := list(_objections(pull, commit, policy)):
        return found
    names = [each.by for each in approvals_of(pull, policy)]
    said = f"#{pull.number} is approved by {listed(names)}" if names else f"#{pull.number} is open"
    return [REVIEW.passed(f"{said}.", reason="reviewed", link=pull.link)]


def approvals_of(pull: PullRequest, policy: ReviewPolicy) -> list[Approval]:
    """Return the approvals that count: of the head commit, by others than who made it."""
    made_by = (pull.author, *(() if policy.by_committers else pull.committers))
    return [
        each
        for each in pull.approvals
        if each.commit == pull.head and not any(_is(each, name) for name in made_by)
    ]


def _objections(pull: PullRequest, commit: str, policy: ReviewPolicy) -> Iterator[Finding]:
    """Yield each objection; one that makes the others void comes alone."""
    if void := _void(pull, commit, policy):
        reason, message, fix = void
        yield REVIEW.failed(reason, message, fix=fix, link=pull.link)
        return
    yield from _missing_approvals(pull, policy)
    yield from _obstacles(pull, policy)
    if policy.required_checks:
        yield from _required(pull, policy)


def _void(pull: PullRequest, commit: str, policy: ReviewPolicy) -> tuple[str, str, str] | None:
    """Return why no review of it can count, as reason and sentence, and what to do about it."""
    number = f"#{pull.number}"
    if not pull.is_open:
        return "closed", f"{number} is closed.", "Reopen it, or open another one."
    if pull.from_fork:
        told = f"{number} comes from a fork, whose code never goes to production."
        return "fork", told, "Push the branch to the repository itself."
    bases = policy.bases or ((pull.default_branch,) if pull.default_branch else ())
    if bases and pull.base not in bases:
        told = (
            f"{number} goes into {pull.base}, and only {listed(sorted(bases))} leads to production."
        )
        return "base", told, "Open it against that, or set promotion.review.bases."
    if pull.is_draft:
        return "draft", f"{number} is a draft.", "Mark it as ready for review."
    if pull.head != commit:
        moved = f"{number} is at {pull.head[:12]} by now, not at {commit[:12]} that was asked for."
        return "head-moved", moved, "Ask again, for the commit that it is at."
    return None


def _missing_approvals(pull: PullRequest, policy: ReviewPolicy) -> Iterator[Finding]:
    if pull.changes_requested_by:
        names = listed(pull.changes_requested_by)
        yield REVIEW.failed("changes-requested", f"{names} asked for changes.", link=pull.link)
    missing = policy.approvals - len({each.by.lower() for each in approvals_of(pull, policy)})
    if missing > 0:
        needed = counted(missing, "more approval", "more approvals")
        message = f"#{pull.number} needs {needed} of its head commit{_why_not(pull, policy)}."
        yield REVIEW.failed("not-approved", message, link=pull.link)


def _why_not(pull: PullRequest, policy: ReviewPolicy) -> str:
    """Say which approvals were seen and do not count."""
    if any(_is(each, pull.author) for each in pull.approvals):
        return "; its author's own does not count"
    committers = () if policy.by_committers else pull.committers
    if made := [each.by for each in pull.approvals if each.by in committers]:
        return f"; {listed(made)} wrote commits of it"
    if stale := [each.by for each in pull.approvals if each.commit != pull.head]:
        return f"; {listed(stale)} approved an earlier one"
    return ""


def _obstacles(pull: PullRequest, policy: ReviewPolicy) -> Iterator[Finding]:
    if pull.mergeable is False:
        message = f"#{pull.number} has conflicts with {pull.base}."
        yield REVIEW.failed("conflicts", message, link=pull.link)
    elif pull.mergeable is None:
        yield REVIEW.unchecked(
            "mergeable-unknown",
            f"The host has not worked out whether #{pull.number} can be merged.",
            fix="Ask again in a minute.",
        )
    if policy.up_to_date and pull.up_to_date is False:
        message = f"#{pull.number} lacks commits of {pull.base}."
        yield REVIEW.failed("behind", message, fix=f"Merge {pull.base} into it.", link=pull.link)
    elif policy.up_to_date and pull.up_to_date is None:
        message = f"It is not known whether #{pull.number} has all of {pull.base}."
        yield REVIEW.unchecked("behind-unknown", message, fix="Ask again in a minute.")


def _required(pull: PullRequest, policy: ReviewPolicy) -> Iterator[Finding]:
    others = [each for each in pull.required_checks if each.name not in policy.own_checks]
    for reason, states in (("checks-failed", {"failure"}), ("checks-pending", {"pending"})):
        if names := _in_state(others, states):
            word = reason.removeprefix("checks-")
            yield REVIEW.failed(
                reason, f"Required checks are {word}: {listed(names)}.", link=pull.link
            )
    if names := [each.name for each in others if each.state not in _KNOWN]:
        message = f"Required checks are in states we do not know: {listed(names)}."
        yield REVIEW.unchecked("checks-unknown", message)


_KNOWN = frozenset({"success", "failure", "pending"})


def _in_state(checks: Iterable[RequiredCheck], states: Collection[str]) -> list[str]:
    return [each.name for each in checks if each.state in states]


def _is(approval: Approval, author: str) -> bool:
    return approval.by.lower() == author.lower()
