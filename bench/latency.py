"""How long after a run has failed its message is in Slack, in a whole embedded edition.

What fails are state machines of a single Fail state, started with Metaflow's input: the jobs of a
real flow would keep the machine busy, and it is the platform's own latency that is measured.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import sqlalchemy as sa

from bench.results import Result
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schema import events
from ops_platform.embedded.aws.account import CREDENTIALS
from ops_platform.embedded.ports import Ports
from ops_platform.embedded.slack_inbox.store import FILE
from ops_platform.embedded.state_folder import StateFolder
from ops_platform.embedded.up import Edition, running_edition

_RUNS = 30
_SEED = 3
_PATIENCE = 60.0
_WARM_UP = 20.0
_MEDIAN_SECONDS = 8.0
_TAIL_SECONDS = 15.0
_FAILS = {"StartAt": "start", "States": {"start": {"Type": "Fail", "Error": "States.TaskFailed"}}}


@dataclass(frozen=True, slots=True)
class Latency:
    """One run: how long until the ledger had its end, and from there until Slack was told."""

    stored: float
    told: float

    @property
    def whole(self) -> float:
        """From the end of the run to its message."""
        return self.stored + self.told


def alert_latency() -> Iterator[Result]:
    """Fail runs one by one, at times that have nothing to do with the sensors' ticks."""
    with _edition() as edition:
        runs = list(_measured(_Runs(edition)))
    whole = sorted(run.whole for run in runs)
    tail = quantiles(whole, n=20, method="inclusive")[-1]
    yield Result(
        name=f"from the end of a run to its Slack message, p50 of {_RUNS} runs",
        measured=f"{median(whole):.1f} s",
        target=f"≤ {_MEDIAN_SECONDS:.0f} s",
        met=median(whole) <= _MEDIAN_SECONDS,
    )
    yield Result(
        name=f"from the end of a run to its Slack message, p95 of {_RUNS} runs",
        measured=f"{tail:.1f} s, {whole[-1]:.1f} s at most",
        target=f"≤ {_TAIL_SECONDS:.0f} s",
        met=tail <= _TAIL_SECONDS,
    )
    yield Result(
        name="of it until the ledger has the event, and from there to Slack, p50",
        measured=f"{median(r.stored for r in runs):.1f} s, {median(r.told for r in runs):.1f} s",
    )


@contextmanager
def _edition() -> Iterator[Edition]:
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        running_edition(
            StateFolder(Path(folder) / "state"),
            Ports.from_base(0),
            prepare_ledger=_prepare,
            progress=_Silent(),
            require_wanted=lambda: None,
            definitions="bench.told_at_once",
        ) as edition,
    ):
        time.sleep(_WARM_UP)  # Dagster's first ticks are slower.
        yield edition


def _prepare(url: str) -> None:
    ledger = Ledger(url)
    with ledger.transaction():  # The first one makes the tables.
        pass
    ledger.close()


class _Silent:
    """Hears how the start goes, and tells nobody."""

    def starting(self, names: Sequence[str]) -> None:
        """Some parts are being started."""

    def ready(self, name: str, seconds: float) -> None:
        """A part is ready."""


def _measured(runs: "_Runs") -> Iterator[Latency]:
    rng = random.Random(_SEED)
    try:
        for number in range(_RUNS):
            yield runs.fail(f"Latency{number:02}")
            # The thread is written behind the message; and the next run is to fail at any moment.
            time.sleep(5 + rng.uniform(0, 5))
    finally:
        runs.close()


class _Runs:
    """Runs that fail in staging, and what is known of them afterwards."""

    def __init__(self, edition: Edition) -> None:
        staging = edition.accounts[0]
        self._role = staging.role_arn()
        self._machines: Any = boto3.client(
            "stepfunctions",
            endpoint_url=staging.endpoint_url,
            region_name=staging.region,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        # The store itself: asking a few times a second would meet Slack's rate limits.
        self._messages = edition.state.slack / FILE
        self._ledger = Ledger(edition.environment["OPS_PLATFORM_DATABASE_URL"])

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    def fail(self, flow: str) -> Latency:
        """Run a flow that fails at once; return when it was told."""
        created = self._machines.create_state_machine(
            name=flow, definition=json.dumps(_FAILS), roleArn=self._role
        )
        started = self._machines.start_execution(
            stateMachineArn=created["stateMachineArn"], input='{"Parameters": "{}"}'
        )
        arn = started["executionArn"]
        told = _awaited(lambda: self._told_at(flow), what=f"the message of {flow}")
        stopped = self._machines.describe_execution(executionArn=arn)["stopDate"].timestamp()
        stored = self._stored_at(arn)
        return Latency(stored=stored - stopped, told=told - stored)

    def _told_at(self, flow: str) -> float | None:
        lines = self._messages.read_text().splitlines() if self._messages.exists() else []
        for line in lines:
            if flow in line and flow in (message := json.loads(line)).get("text", ""):
                return float(message["ts"])
        return None

    def _stored_at(self, arn: str) -> float:
        received = sa.select(sa.func.max(events.c.received_at)).where(events.c.subject == arn)
        with self._ledger.transaction() as tx:
            return float(tx.execute(received).scalar_one().timestamp())


def _awaited(look: Callable[[], float | None], *, what: str) -> float:
    deadline = time.monotonic() + _PATIENCE
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come within {_PATIENCE:.0f} s.")
        time.sleep(0.25)
    return found
