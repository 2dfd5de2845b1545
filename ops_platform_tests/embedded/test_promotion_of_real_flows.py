"""From a pull request to production: real git, real flows, both accounts, Dagster's own API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_platform.adapters.ledger import deployments, promotions
from ops_platform.domain.identity import run_id
from ops_platform.domain.promotions import Status
from ops_platform_tests.embedded.dagster_graphql import EndedRun, ended, launch
from ops_platform_tests.embedded.promotion_shop import (
    MACHINE,
    PATH,
    STAGED,
    Shop,
    candidate_of,
    open_shop,
)
from ops_platform_tests.embedded.real_flows import awaited

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Start the edition with the repository to promote from."""
    with open_shop(tmp_path) as opened:
        yield opened


def _findings(run: EndedRun) -> dict[str, Any]:
    told = json.loads(run.told["check_evidence"]["findings"])
    return {each["name"]: each for each in told["checks"]}


def test_a_flow_goes_to_production_and_back(shop: Shop) -> None:
    """Checks fail, are mended, pass; promoted, replaced, rolled back; each step looked at."""
    broken = shop.push(start="raise ValueError('no sales')")
    assert shop.run_in_staging() == "FAILED"
    checked = shop.check(broken)
    assert checked.status == "FAILURE"
    assert "did not pass: stopped by staging-run" in str(checked.failure)
    failed = _findings(checked)["staging-run"]
    assert (failed["reason"], failed["passed"]) == ("failed", False)
    assert shop.production.machine(MACHINE) is None

    first = shop.push()
    assert shop.run_in_staging() == "SUCCEEDED"
    checked = shop.check(first)
    assert checked.status == "SUCCESS", checked.told["check_evidence"]["report"]
    evidence = _findings(checked)["staging-run"]["link"]
    assert STAGED in evidence

    promoted = shop.promote(first)
    assert promoted.status == "SUCCESS", promoted
    assert set(promoted.steps.values()) == {"SUCCESS"}
    assert shop.runs() == ("5000", "cron(0 0 * * ? *)")
    with shop.ledger.transaction() as tx:
        recorded = promotions.get(tx, promoted.tags["soteria/promotion"])
        made = deployments.latest(tx, "production", MACHINE)
    assert recorded is not None
    assert made is not None
    assert recorded.status is Status.SUCCEEDED
    request = recorded.request
    assert (request.author, request.approvers, request.actor, request.owner, request.commit) == (
        "ada", ("grace",), "ana", "ada", first,
    )  # fmt: skip
    assert evidence in json.dumps(recorded.entries[0].detail)
    assert made.execution_arn is not None
    execution = made.execution_arn
    awaited(
        lambda: (ran := shop.production.execution(execution)) and ran.ended_at,
        seconds=120, what="the end of the first run in production",
    )  # fmt: skip
    ran = shop.production.execution(execution)
    assert ran is not None
    assert ran.status == "SUCCEEDED", run_id(execution)

    second = shop.push(memory="6000", schedule="hourly=True")
    assert shop.check(second).status == "FAILURE", "it never ran in Staging"
    assert shop.run_in_staging() == "SUCCEEDED"
    assert shop.promote(second).status == "SUCCESS"
    assert shop.runs() == ("6000", "cron(0 * * * ? *)")

    back = shop.roll_back()
    assert back.status == "SUCCESS", back
    assert shop.runs() == ("5000", "cron(0 0 * * ? *)")
    with shop.ledger.transaction() as tx:
        history = deployments.history(tx, "production", MACHINE)
    assert [each.commit for each in history] == [first, second, first]


def test_killed_at_any_stage_the_same_request_goes_on(shop: Shop) -> None:
    """Real SIGKILLs: production is whole afterwards, and there is one deployment of each commit."""
    commits = []
    for number, stage in enumerate(("prepare", "deploy", "start")):
        commits.append(shop.push(memory=str(5000 + number)))
        assert shop.run_in_staging() == "SUCCEEDED"
        shop.requests += 1
        shop.killed_while(stage, commits[-1])
        done = shop.again(commits[-1])
        assert done.status == "SUCCESS", done
    with shop.ledger.transaction() as tx:
        history = deployments.history(tx, "production", MACHINE)
    assert [each.commit for each in reversed(history)] == commits
    assert shop.runs()[1] == "cron(0 0 * * ? *)"


def test_what_ada_deployed_by_hand_is_taken_over(shop: Shop) -> None:
    """Metaflow lets nobody else deploy it again, but with the token that its machine carries."""
    shop.push(memory="6000")
    shop.deploy_by_hand()
    assert shop.runs() == ("6000", "cron(0 0 * * ? *)")
    commit = shop.push()
    assert shop.run_in_staging() == "SUCCEEDED"
    done = shop.promote(commit)
    assert done.status == "SUCCESS", done
    assert shop.runs() == ("5000", "cron(0 0 * * ? *)")
    assert "memory" in done.told["prepare"]["changes"]


def test_two_at_once_are_one_after_the_other_or_refused_by_name(shop: Shop) -> None:
    """With the tag Dagster has the second wait; without it the ledger refuses it."""
    commit = shop.push()
    assert shop.run_in_staging() == "SUCCEEDED"
    order, candidate = shop.order(candidate_of(commit)), {"soteria/candidate": f"acme/flows:{PATH}"}
    first = launch(shop.api, "promote_flow", order, candidate)
    second = launch(shop.api, "promote_flow", {**order, "request": "other"}, candidate)
    assert ended(shop.api, first).status == "SUCCESS"
    assert ended(shop.api, second).status == "SUCCESS"
    with shop.ledger.transaction() as tx:
        history = deployments.history(tx, "production", MACHINE)
    assert len(history) == 2
    name = f"the promotion of {MACHINE} in production"
    with shop.ledger.alone(name):
        third = ended(shop.api, launch(shop.api, "promote_flow", {**order, "request": "third"}))
    assert third.status == "FAILURE"
    assert name in str(third.failure)
