"""``ops-platform promotions``, ``deployments`` and ``locks``, on a ledger with one promotion."""

import pytest

from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.checks import DRIFT
from ops_platform.domain.promotions import What
from ops_platform_tests.adapters.ledger.test_promotions import (
    MACHINE,
    NOW,
    a_deployment,
    a_lock,
    a_request,
    an_entry,
)
from ops_platform_tests.cli.command_line import Platform


@pytest.fixture
def promoted(ledger: Ledger, platform_of: Platform) -> Platform:
    """Give the command line after a promotion that succeeded and one that was refused."""
    with ledger.transaction() as tx:
        promotions.ask(tx, a_request())
        promotions.add(tx, a_request().id, an_entry(What.CHECKED, checks=["loads"]))
        promotions.add(tx, a_request().id, an_entry(What.SUCCEEDED, 2))
        promotions.ask(tx, a_request(13))
        promotions.add(tx, a_request(13).id, an_entry(What.REFUSED))
        deployments.add(tx, a_deployment(a_request()))
        flow_locks.take(tx, a_lock(), reason="promote")
    return platform_of


def test_promotions_are_listed_with_where_they_stand(promoted: Platform) -> None:
    """And narrowed by it."""
    rows = promoted.rows("promotions")
    assert {row["pull_request"]: row["status"] for row in rows} == {12: "succeeded", 13: "refused"}
    (refused,) = promoted.rows("promotions", "--status", "refused")
    assert refused["approvers"] == ["ben"]
    assert "shop.prod.Forecast" in promoted.run("promotions", "list").stdout


def test_a_promotion_is_shown_with_all_that_was_done(promoted: Platform) -> None:
    """And what shows it."""
    shown = promoted.record("promotions", "show", a_request().id, "--json")
    assert [each["what"] for each in shown["entries"]] == ["checked", "succeeded"]
    assert shown["entries"][0]["detail"] == {"checks": ["loads"]}
    lines = promoted.run("promotions", "show", a_request().id).stdout.splitlines()
    assert lines[-1].endswith("succeeded  succeeded.")


def test_a_promotion_that_is_none_is_told(promoted: Platform) -> None:
    """With the command that lists them."""
    done = promoted.run("promotions", "show", "none")
    assert done.exit_code == 2
    assert "see `ops-platform promotions list`" in done.stderr


def test_deployments_tell_whether_they_drifted(promoted: Platform, ledger: Ledger) -> None:
    """Or that nobody looked yet."""
    (row,) = promoted.rows("deployments")
    assert (row["machine"], row["drift"]) == (MACHINE, None)
    assert row["schedule"]["expression"] == "cron(0 0 * * ? *)"
    with ledger.transaction() as tx:
        found = DRIFT.failed("changed-definition", "x")
        deployments.note_drift(tx, "production", MACHINE, found, NOW)
    (row,) = promoted.rows("deployments", "--account", "production")
    assert row["drift"] == "changed-definition"


def test_what_ran_before_is_listed_by_machine(promoted: Platform) -> None:
    """With the version to go back to."""
    (row,) = promoted.rows("deployments", "--machine", MACHINE)
    assert row["version_arn"] == f"arn:{MACHINE}:1"


@pytest.mark.parametrize("noun", ["promotions", "deployments", "locks"])
def test_an_account_that_is_none_is_told(promoted: Platform, noun: str) -> None:
    """Rather than an empty list."""
    done = promoted.run(noun, "list", "--account", "prod")
    assert done.exit_code == 2
    assert "did you mean production?" in done.stderr


@pytest.mark.parametrize("noun", ["promotions", "deployments", "locks"])
def test_an_empty_list_is_a_sentence(platform: Platform, noun: str) -> None:
    """For people; programs get an empty list."""
    assert platform.run(noun, "list").stdout == f"No {noun}.\n"
    assert platform.rows(noun) == []


def test_a_lock_is_released_with_a_reason(promoted: Platform, ledger: Ledger) -> None:
    """Who did it is recorded; a second time nobody holds it."""
    (row,) = promoted.rows("locks")
    assert row["pull_request"] == 12
    word = ("--account", "production", "--by", "ana", "--reason", "closed")
    done = promoted.run("locks", "release", MACHINE, *word)
    assert done.stdout == f"acme/flows#12 no longer holds {MACHINE}.\n"
    assert promoted.run("locks", "release", MACHINE, *word).exit_code == 2
    with ledger.transaction() as tx:
        last = flow_locks.events(tx, "production", MACHINE)[-1]
    assert (last["actor"], last["reason"]) == ("ana", "closed")
