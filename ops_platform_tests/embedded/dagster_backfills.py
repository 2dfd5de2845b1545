"""A real Dagster over the rollups' assets, and backfills through its API."""

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from ops_platform.embedded.dagster_instance import (
    code_server,
    daemon,
    webserver,
    write_dagster_home,
)
from ops_platform.embedded.ports import HOST, Ports
from ops_platform.embedded.postgres import running_postgres
from ops_platform.embedded.processes import guarded_programs
from ops_platform.embedded.state_folder import StateFolder
from ops_platform.embedded.up import environment_of
from ops_platform_tests.defs.dagster_world import SETTINGS
from ops_platform_tests.embedded.dagster_graphql import GraphQL
from ops_platform_tests.embedded.real_flows import awaited
from ops_platform_tests.embedded.up_process import left_over

LOCATION = "ops_platform_tests.embedded.metrics_location"
_LAUNCH = """mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  } }"""
_STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message }
      runs(limit: 20) { id status tags { key value } } } } }"""
_MADE = """query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
    ... on AssetNode { partitionStats { numMaterialized numFailed } } } }"""


@dataclass(frozen=True, slots=True)
class Backfills:
    """Backfills through Dagster's GraphQL."""

    address: str
    state: Path
    ledger_url: str

    def launch(self, keys: Sequence[dg.AssetKey], partitions: Sequence[str]) -> str:
        """Ask for partitions of assets; return the backfill's id."""
        params = {
            "assetSelection": [{"path": list(key.path)} for key in keys],
            "partitionNames": list(partitions),
        }
        told = GraphQL(self.address).ask(_LAUNCH, params=params)["launchPartitionBackfill"]
        assert told["__typename"] == "LaunchBackfillSuccess", told
        return str(told["backfillId"])

    def awaited(self, backfill: str) -> list[dict[str, Any]]:
        """Wait until a backfill is over and well; return its runs."""
        awaited(
            lambda: self._told(backfill)["status"] in {"COMPLETED_SUCCESS", "COMPLETED_FAILED"},
            seconds=300,
            what=f"the end of backfill {backfill}",
        )
        told = self._told(backfill)
        assert told["status"] == "COMPLETED_SUCCESS", told
        runs: list[dict[str, Any]] = told["runs"]
        return runs

    def materialized(self, key: dg.AssetKey) -> int:
        """Return how many partitions of an asset Dagster shows as made."""
        told = GraphQL(self.address).ask(_MADE, path=list(key.path))["assetNodeOrError"]
        return int(told["partitionStats"]["numMaterialized"])

    def kill_run(self) -> None:
        """Kill the processes that a run is, which the code server has spawned."""
        pids = [int(each.split()[0]) for each in left_over(self.state) if "spawn_main" in each]
        assert pids, "no run is at work"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def _told(self, backfill: str) -> dict[str, Any]:
        told: dict[str, Any] = GraphQL(self.address).ask(_STATUS, id=backfill)[
            "partitionBackfillOrError"
        ]
        return told


@contextlib.contextmanager
def dagster_of_metrics(folder: Path, *, location: str = LOCATION) -> Iterator[Backfills]:
    """Start Postgres and Dagster's code server, daemon and web server; end them all."""
    state = StateFolder(folder)
    state.make()
    (state.dagster / "ops_platform.toml").write_text(SETTINGS)
    ports = Ports(0, 0, 0, 0).reserved()
    with running_postgres(state.root) as server, guarded_programs() as programs:
        environment = environment_of(state, server)
        write_dagster_home(state, ports)
        code = programs.start(code_server(state, ports, environment, definitions=location))
        programs.await_ready([code], lambda _: None)
        others = (daemon(state, environment), webserver(state, ports, environment))
        programs.await_ready([programs.start(each) for each in others], lambda _: None)
        yield Backfills(f"http://{HOST}:{ports.dagster}", state.root, server.url("ledger"))
