"""How a queue stands, as the ledger has it from events."""

from typing import Any

import msgspec
import pytest

from ops_platform.adapters.ledger import container_instances, jobs, queue_state, runs
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.capacity import Holder, Size
from ops_platform.domain.lifecycle import Instance, Job
from ops_platform_tests.build import ACCOUNT, NOON, a_job_event, after, an_instance_event

ARN = "arn:aws:batch:eu-west-1:222222222222:job-queue/flows"


def _stored(ledger: Ledger, *known: Job) -> None:
    with ledger.transaction() as tx:
        jobs.save(tx, known)


def _job(
    number: int, status: str, *, starting_at: float | None = None, account: str = ACCOUNT,
    **changes: Any,
) -> Job:  # fmt: skip
    event = a_job_event(job_id=f"job-{number}", status=status, **changes)
    return Job(account, event, starting_at=None if starting_at is None else after(starting_at))


def test_a_queue_started_a_job_when_the_last_one_was_starting(emptied_ledger: Ledger) -> None:
    """Whatever became of it since; other queues and accounts do not count."""
    _stored(
        emptied_ledger,
        _job(1, "SUCCEEDED", starting_at=10),
        _job(2, "FAILED", starting_at=30),
        _job(3, "RUNNABLE"),
        _job(4, "RUNNING", starting_at=50, queue="other"),
        _job(5, "RUNNING", starting_at=60, account="staging"),
    )

    with emptied_ledger.transaction() as tx:
        assert queue_state.last_start(tx, ACCOUNT, ARN) == after(30)
        assert queue_state.last_start(tx, ACCOUNT, ARN + "2") is None


def test_a_job_that_runs_has_started_though_nobody_told_that_it_was_starting(
    emptied_ledger: Ledger,
) -> None:
    """Its own start tells."""
    _stored(
        emptied_ledger,
        _job(1, "RUNNING", started_at=after(40.5)),
        _job(2, "SUCCEEDED", starting_at=10, started_at=after(12)),
    )

    with emptied_ledger.transaction() as tx:
        assert queue_state.last_start(tx, ACCOUNT, ARN) == after(40.5)


def test_capacity_is_held_by_the_jobs_that_started(emptied_ledger: Ledger) -> None:
    """Summed by flow and owner over the queues, the largest first; parents of arrays hold none."""
    _stored(
        emptied_ledger,
        _job(1, "RUNNING", vcpus=4.0),
        _job(2, "STARTING", vcpus=2.5),
        _job(3, "RUNNING", vcpus=8.0, flow="EtlFlow", owner="ben", queue="other"),
        _job(4, "RUNNING", vcpus=None, flow=None, owner=None, run_id=None),
        _job(5, "RUNNING", vcpus=99.0, array_size=3),
        _job(6, "RUNNABLE", vcpus=99.0),
        _job(7, "SUCCEEDED", vcpus=99.0),
        _job(8, "RUNNING", vcpus=99.0, queue="elsewhere"),
        _job(9, "RUNNING", vcpus=99.0, account="staging"),
    )

    with emptied_ledger.transaction() as tx:
        found = queue_state.holders(tx, ACCOUNT, [ARN, "arn:job-queue/other"])

        assert found == [
            Holder("EtlFlow", "ben", 8.0, 1),
            Holder("TrainFlow", "ana", 6.5, 2),
            Holder(None, None, 0, 1),
        ]
        assert queue_state.holders(tx, ACCOUNT, []) == []


UNNAMED: dict[str, Any] = {"flow": None, "owner": None}


def test_who_holds_capacity_is_told_by_the_run_where_the_job_does_not(
    emptied_ledger: Ledger,
) -> None:
    """As its state machine names it."""
    with emptied_ledger.transaction() as tx:
        runs.identify(tx, ACCOUNT, "sfn-1", flow="TrainFlow", owner="ana")
        runs.identify(tx, "staging", "sfn-1", flow="OtherFlow", owner="ben")
        jobs.save(tx, [_job(1, "RUNNING", run_id="sfn-1", **UNNAMED), _job(2, "RUNNING")])

        assert queue_state.holders(tx, ACCOUNT, [ARN]) == [Holder("TrainFlow", "ana", 2.0, 2)]


def test_waiting_jobs_are_found_by_their_ids(emptied_ledger: Ledger) -> None:
    """As they are in the ledger; those that it does not know are left out."""
    known = [_job(number, "RUNNABLE") for number in range(3)]
    _stored(emptied_ledger, *known, _job(4, "RUNNABLE", account="staging"))

    with emptied_ledger.transaction() as tx:
        found = queue_state.waiting(tx, ACCOUNT, ["job-0", "job-2", "job-4", "job-9"])

        assert found == {"job-0": known[0], "job-2": known[2]}
        assert queue_state.waiting(tx, ACCOUNT, []) == {}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, ("TrainFlow", "ana")),
        ({"owner": "zoe"}, ("TrainFlow", "zoe")),
        ({"flow": "OwnFlow"}, ("OwnFlow", "ana")),
        ({"flow": "OwnFlow", "owner": "zoe"}, ("OwnFlow", "zoe")),
        ({"run_id": None}, (None, None)),
        ({"run_id": "sfn-2"}, (None, None)),
    ],
    ids=["neither", "owner", "flow", "both", "no run", "an unknown run"],
)
def test_what_a_waiting_job_does_not_name_its_run_does(
    emptied_ledger: Ledger, named: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    """What it names itself counts."""
    job = _job(1, "RUNNABLE", **(UNNAMED | {"run_id": "sfn-1"} | named))
    with emptied_ledger.transaction() as tx:
        runs.identify(tx, ACCOUNT, "sfn-1", flow="TrainFlow", owner="ana")
        jobs.save(tx, [job])

        (found,) = queue_state.waiting(tx, ACCOUNT, ["job-1"]).values()

    assert (found.latest.flow, found.latest.owner) == expected
    unchanged = msgspec.structs.replace(found.latest, flow=None, owner=None)
    assert unchanged == msgspec.structs.replace(job.latest, flow=None, owner=None)


def test_a_type_is_as_large_as_the_largest_that_registered(emptied_ledger: Ledger) -> None:
    """No job is called too large for an instance that had room for it."""
    seen: list[dict[str, Any]] = [
        {"memory_mib": 15_564},
        {"memory_mib": 15_800, "status": "INACTIVE"},
        {"memory_mib": 15_564},
        {"instance_type": "m5.large", "cpu_units": 2048, "memory_mib": 7600},
        {"instance_type": None},
        {"instance_type": "odd", "cpu_units": None},
        {"instance_type": "odd", "memory_mib": None},
    ]
    instances = [
        Instance(ACCOUNT, an_instance_event(instance_arn=f"arn:{at}", **changes), NOON)
        for at, changes in enumerate(seen)
    ]
    elsewhere = Instance("staging", an_instance_event(memory_mib=99_999), NOON)
    with emptied_ledger.transaction() as tx:
        container_instances.save(tx, [*instances, elsewhere])

        found = queue_state.registered_sizes(tx, ACCOUNT)

    assert found == {"m5.xlarge": Size(4, 15_800), "m5.large": Size(2, 7600)}
