"""The record of promotions, deployments and locks on a real Postgres."""

import threading
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import deployments, flow_locks, promotions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotion_tables import WRITTEN_ONCE
from ops_platform.adapters.ledger.promotions import EndedError
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.domain.checks import DRIFT
from ops_platform.domain.deployed_machines import Rule, RuleTarget
from ops_platform.domain.deployments import Deployment
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.flow_locks import FlowLock
from ops_platform.domain.promotions import Entry, Kind, Request, Status, What, request_id

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MACHINE = "shop.prod.Forecast"
A_RULE = Rule(
    name=MACHINE,
    expression="cron(0 0 * * ? *)",
    enabled=True,
    description=None,
    targets=(RuleTarget(MACHINE, f"arn:{MACHINE}", "role", "{}"),),
)


def a_request(pull_request: int = 12, **changes: object) -> Request:
    """Return a request to promote a pull request."""
    told = {
        "id": request_id(Kind.PROMOTE, MACHINE, pull_request),
        "kind": Kind.PROMOTE,
        "account": "production",
        "machine": MACHINE,
        "actor": "ana",
        "reason": "productionize flow",
        "requested_at": NOW,
        "flow": "Forecast",
        "repository": "acme/flows",
        "pull_request": pull_request,
        "commit": "c" * 40,
        "approvers": ("ben",),
        "owner": "ada",
        **changes,
    }
    return Request(**told)  # type: ignore[arg-type]


def a_deployment(promotion: Request, **changes: object) -> Deployment:
    """Return what a promotion deployed."""
    told = {
        "account": promotion.account,
        "machine": promotion.machine,
        "machine_arn": f"arn:{MACHINE}",
        "promotion_id": promotion.id,
        "kind": promotion.kind,
        "digest": "d1",
        "version_arn": f"arn:{MACHINE}:1",
        "revision": "r1",
        "rule": A_RULE,
        "deployed_at": NOW,
        "deployed_by": "ana",
        "owner": "ada",
        **changes,
    }
    return Deployment(**told)  # type: ignore[arg-type]


def a_lock(pull_request: int | None = 12, **changes: object) -> FlowLock:
    """Return a lock of a pull request."""
    told = {
        "account": "production",
        "machine": MACHINE,
        "promotion_id": f"promote-{pull_request}",
        "repository": "acme/flows",
        "pull_request": pull_request,
        "taken_by": "ana",
        "taken_at": NOW,
        **changes,
    }
    return FlowLock(**told)  # type: ignore[arg-type]


def an_entry(what: What, minutes: int = 1, **detail: object) -> Entry:
    """Return a thing that was done."""
    return Entry(what=what, at=NOW + timedelta(minutes=minutes), message=f"{what}.", detail=detail)


def test_a_promotion_is_read_as_it_was_written(emptied_ledger: Ledger) -> None:
    """What was asked, and each thing done with what shows it."""
    request = a_request()
    with emptied_ledger.transaction() as tx:
        asked = promotions.ask(tx, request)
        promotions.add(tx, request.id, an_entry(What.CHECKED, checks=[{"name": "loads"}]))
        promotions.add(tx, request.id, an_entry(What.SUCCEEDED, 2))
        found = promotions.get(tx, request.id)
    assert (asked.request, asked.entries, asked.status) == (request, (), Status.RUNNING)
    assert found is not None
    assert found.status is Status.SUCCEEDED
    assert found.entries[0].detail == {"checks": [{"name": "loads"}]}


def test_the_same_request_twice_is_one_promotion(emptied_ledger: Ledger) -> None:
    """The first to ask is who asked."""
    with emptied_ledger.transaction() as tx:
        promotions.ask(tx, a_request())
        promotions.add(tx, a_request().id, an_entry(What.LOCKED))
        again = promotions.ask(tx, a_request(actor="eve"))
        assert (again.request.actor, len(again.entries)) == ("ana", 1)
        assert len(promotions.newest(tx, Filter())) == 1


def test_what_has_ended_goes_on_no_more(emptied_ledger: Ledger) -> None:
    """Nothing is added after the end."""
    with emptied_ledger.transaction() as tx:
        promotions.ask(tx, a_request())
        promotions.add(tx, a_request().id, an_entry(What.FAILED))
        with pytest.raises(EndedError, match="has ended"):
            promotions.add(tx, a_request().id, an_entry(What.DEPLOYED))


def test_lists_are_narrowed(emptied_ledger: Ledger) -> None:
    """By account, flow, status, machine and time; the last first."""
    with emptied_ledger.transaction() as tx:
        for number in (1, 2, 3):
            at = NOW + timedelta(hours=number)
            promotions.ask(tx, a_request(number, requested_at=at))
        promotions.add(tx, a_request(2).id, an_entry(What.REFUSED))

        def numbers(wanted: Filter, machine: str | None = None) -> list[int | None]:
            found = promotions.newest(tx, wanted, machine=machine)
            return [each.request.pull_request for each in found]

        assert numbers(Filter()) == [3, 2, 1]
        assert numbers(Filter(status="refused")) == [2]
        assert numbers(Filter(status="running", limit=1)) == [3]
        assert numbers(Filter(since=NOW + timedelta(hours=2))) == [3, 2]
        assert numbers(Filter(account="staging")) == []
        assert numbers(Filter(), machine="other") == []


@pytest.mark.parametrize("table", [each.name for each in WRITTEN_ONCE])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET account = 'x'"])
def test_the_record_is_never_edited(emptied_ledger: Ledger, table: str, change: str) -> None:
    """Postgres itself refuses it, whoever asks."""
    statement = change.format(table)
    if table == "promotion_entries":
        statement = statement.replace("account", "message")
    with pytest.raises(sa.exc.DBAPIError, match="written once"), emptied_ledger.transaction() as tx:
        tx.execute(sa.text(statement))


def test_deployments_tell_what_runs_and_what_it_replaced(emptied_ledger: Ledger) -> None:
    """The last one counts; a promotion has one, however often it is recorded."""
    with emptied_ledger.transaction() as tx:
        for number in (1, 2):
            promotions.ask(tx, a_request(number))
        first = deployments.add(tx, a_deployment(a_request(1)))
        second = deployments.add(tx, a_deployment(a_request(2), digest="d2", replaced=first.id))
        assert deployments.add(tx, a_deployment(a_request(2), digest="other")) == second
        assert deployments.latest(tx, "production", MACHINE) == second
        assert deployments.history(tx, "production", MACHINE) == [second, first]
        assert second.replaced == first.id
        assert deployments.get(tx, first.id or 0) == first
        assert deployments.owner(tx, "production", MACHINE) == "ada"
        assert deployments.owner(tx, "staging", MACHINE) is None
        with pytest.raises(PlatformError, match="no deployment 0"):
            deployments.get(tx, 0)


def test_drift_is_known_from_the_last_look(emptied_ledger: Ledger) -> None:
    """One from before the deployment tells nothing of it."""
    with emptied_ledger.transaction() as tx:
        promotions.ask(tx, a_request())
        deployments.add(tx, a_deployment(a_request()))
        early = NOW - timedelta(minutes=1)
        deployments.note_drift(tx, "production", MACHINE, DRIFT.failed("gone", "x"), early)
        (found,) = deployments.current(tx)
        assert found.drift is None
        for reason in ("changed-definition", "changed-schedule"):
            deployments.note_drift(tx, "production", MACHINE, DRIFT.failed(reason, "x"), NOW)
        (found,) = deployments.current(tx, "production")
        assert (found.drift, found.looked_at) == ("changed-schedule", NOW)
        assert deployments.current(tx, "staging") == []


def test_a_lock_has_one_holder(emptied_ledger: Ledger) -> None:
    """Who has it keeps it; another one is told who that is."""
    with emptied_ledger.transaction() as tx:
        mine = flow_locks.take(tx, a_lock(), reason="promote")
        assert flow_locks.take(tx, a_lock(promotion_id="promote-b"), reason="again") == mine
        assert flow_locks.take(tx, a_lock(13), reason="promote").pull_request == 12
        assert flow_locks.held(tx, "production") == [mine]


def test_a_lock_is_released_by_its_holder_alone(emptied_ledger: Ledger) -> None:
    """And it is told who took and who released it, and why."""
    with emptied_ledger.transaction() as tx:
        flow_locks.take(tx, a_lock(), reason="promote")
        assert flow_locks.release(tx, a_lock(13), actor="eve", reason="x", now=NOW) is None
        released = flow_locks.release(tx, a_lock(), actor="ben", reason="merged", now=NOW)
        assert released == a_lock()
        assert flow_locks.holder(tx, "production", MACHINE) is None
        told = [
            (row["what"], row["holder"], row["actor"], row["reason"])
            for row in flow_locks.events(tx, "production", MACHINE)
        ]
    assert told == [
        ("taken", "acme/flows#12", "ana", "promote"),
        ("released", "acme/flows#12", "ben", "merged"),
    ]


def test_of_two_that_take_it_at_once_one_has_it(ledger: Ledger) -> None:
    """The other one is told of it, and both of the same holder."""
    together = threading.Barrier(2)
    told: list[int | None] = []

    def take(pull_request: int) -> None:
        together.wait(10)
        with ledger.transaction() as tx:
            told.append(flow_locks.take(tx, a_lock(pull_request), reason="x").pull_request)

    threads = [threading.Thread(target=take, args=(number,)) for number in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert len(told) == 2
    assert len(set(told)) == 1


def test_a_request_has_the_same_id_each_time() -> None:
    """And another one another."""
    assert request_id(Kind.PROMOTE, "a", 1) == request_id(Kind.PROMOTE, "a", 1)
    assert request_id(Kind.PROMOTE, "a", 1) != request_id(Kind.PROMOTE, "a1", "")
    assert msgspec.structs.replace(a_request(), reason="x").id == a_request().id
