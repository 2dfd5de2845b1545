"""What a review must be before a flow may go to production."""

from dataclasses import replace

import pytest

from ops_platform.domain.findings import Verdict
from ops_platform.domain.pull_requests import (
    Approval,
    PullRequest,
    RequiredCheck,
    ReviewPolicy,
    judge_review,
)

HEAD, EARLIER = "a" * 40, "b" * 40
POLICY = ReviewPolicy(own_checks=("soteria/sanity",))
PULL = PullRequest(
    repository="shop/flows",
    number=12,
    title="Forecast by region",
    author="ada",
    head=HEAD,
    branch="by-region",
    base="main",
    link="https://git.example.com/shop/flows/pull/12",
    mergeable=True,
    up_to_date=True,
    approvals=(Approval("grace", HEAD),),
    required_checks=(RequiredCheck("tests", "success"), RequiredCheck("soteria/sanity", "pending")),
)


def test_an_approved_pull_request_passes_and_names_who_approved() -> None:
    """The checks that our own findings feed are not waited for."""
    (finding,) = judge_review(PULL, commit=HEAD, policy=POLICY)
    assert finding.passed
    assert finding.message == "#12 is approved by grace."
    assert finding.link == PULL.link


@pytest.mark.parametrize(
    ("pull", "reasons"),
    [
        (replace(PULL, is_open=False), ["closed"]),
        (replace(PULL, from_fork=True), ["fork"]),
        (replace(PULL, is_draft=True), ["draft"]),
        (replace(PULL, head=EARLIER), ["head-moved"]),
        (replace(PULL, approvals=()), ["not-approved"]),
        (replace(PULL, approvals=(Approval("Ada", HEAD),)), ["not-approved"]),
        (replace(PULL, approvals=(Approval("grace", EARLIER),)), ["not-approved"]),
        (replace(PULL, changes_requested_by=("linus",)), ["changes-requested"]),
        (replace(PULL, mergeable=False), ["conflicts"]),
        (replace(PULL, mergeable=None), ["mergeable-unknown"]),
        (replace(PULL, up_to_date=False), ["behind"]),
        (replace(PULL, up_to_date=None), ["behind-unknown"]),
        (replace(PULL, required_checks=(RequiredCheck("tests", "failure"),)), ["checks-failed"]),
        (replace(PULL, required_checks=(RequiredCheck("tests", "pending"),)), ["checks-pending"]),
        (replace(PULL, required_checks=(RequiredCheck("tests", "odd"),)), ["checks-unknown"]),
        (replace(PULL, approvals=(), mergeable=False), ["not-approved", "conflicts"]),
    ],
)
def test_each_objection_is_told_apart(pull: PullRequest, reasons: list[str]) -> None:
    """All of them at once, unless one makes the others void."""
    found = judge_review(pull, commit=HEAD, policy=POLICY)
    assert [each.reason for each in found] == reasons
    assert all(each.stops and each.fix for each in found)


def test_what_the_host_does_not_know_is_not_passed() -> None:
    """It is no failure either."""
    (finding,) = judge_review(replace(PULL, mergeable=None), commit=HEAD, policy=POLICY)
    assert finding.verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("approvals", "said"),
    [
        ((Approval("ada", HEAD),), "; its author's own does not count"),
        ((Approval("grace", EARLIER),), "; grace approved an earlier one"),
        ((), "needs 1 more approval of its head commit."),
    ],
)
def test_an_approval_that_does_not_count_is_explained(
    approvals: tuple[Approval, ...], said: str
) -> None:
    """Rather than be passed over."""
    (finding,) = judge_review(replace(PULL, approvals=approvals), commit=HEAD, policy=POLICY)
    assert said in finding.message


def test_one_person_approves_once() -> None:
    """However often, and in whatever case the host writes the name."""
    twice = replace(PULL, approvals=(Approval("grace", HEAD), Approval("Grace", HEAD)))
    policy = replace(POLICY, approvals=2)
    assert [each.reason for each in judge_review(twice, commit=HEAD, policy=policy)] == [
        "not-approved"
    ]


def test_who_wrote_commits_of_it_approves_where_the_policy_lets_them() -> None:
    """By default an approval of one's own push reviews nothing, and that is said."""
    pull = replace(PULL, committers=("ada", "grace"))
    (finding,) = judge_review(pull, commit=HEAD, policy=POLICY)
    assert (finding.reason, finding.stops) == ("not-approved", True)
    assert "; grace wrote commits of it" in finding.message
    (finding,) = judge_review(pull, commit=HEAD, policy=replace(POLICY, by_committers=True))
    assert finding.passed


@pytest.mark.parametrize(
    ("default", "bases", "passes"),
    [
        ("main", (), True), ("trunk", (), False), (None, (), True),
        ("trunk", ("trunk", "main"), True), ("main", ("release",), False),
    ],
)  # fmt: skip
def test_only_some_branches_lead_to_production(
    default: str | None, bases: tuple[str, ...], *, passes: bool
) -> None:
    """The default one, unless the policy names others."""
    pull, policy = replace(PULL, default_branch=default), replace(POLICY, bases=bases)
    (finding,) = judge_review(pull, commit=HEAD, policy=policy)
    assert (finding.passed, finding.reason) == (passes, "reviewed" if passes else "base")


def test_the_policy_may_ask_for_less() -> None:
    """Where a team reviews elsewhere."""
    pull = replace(PULL, approvals=(), up_to_date=False, required_checks=())
    policy = ReviewPolicy(approvals=0, up_to_date=False, required_checks=False)
    (finding,) = judge_review(pull, commit=HEAD, policy=policy)
    assert (finding.passed, finding.message) == (True, "#12 is open.")
