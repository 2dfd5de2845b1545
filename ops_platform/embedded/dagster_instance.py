"""Dagster in the embedded edition: one code server that the daemon and the web server share."""

import json
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from ops_platform.embedded.ports import HOST, Ports
from ops_platform.embedded.processes import Program
from ops_platform.embedded.state_folder import StateFolder
from ops_platform.shipped import shipped

DATABASE_VARIABLE = "OPS_PLATFORM_DAGSTER_DATABASE_URL"
DEFINITIONS = "ops_platform.definitions"
_LOCATION = "ops_platform"
_DAEMON_STARTED = "Instance is configured with the following daemons"


def write_dagster_home(state: StateFolder, ports: Ports) -> None:
    """Write Dagster's configuration and its workspace: the shared code server."""
    shutil.copyfile(shipped("dagster.yaml"), state.dagster / "dagster.yaml")
    server = {"host": HOST, "port": ports.code, "location_name": _LOCATION}
    # JSON is YAML.
    _workspace(state).write_text(json.dumps({"load_from": [{"grpc_server": server}]}))


def code_server(
    state: StateFolder, ports: Ports, environment: Mapping[str, str], *, definitions: str
) -> Program:
    """Return the program that has our code loaded, and starts the runs."""
    # Not `dagster code-server start`, which ignores SIGTERM.
    command = [sys.executable, "-m", "dagster", "api", "grpc", "--module-name", definitions]
    command += ["--host", HOST, "--port", str(ports.code), "--location-name", _LOCATION]
    # Or else it starts runs with the `dagster` that comes first in the PATH.
    command += ["--use-python-environment-entry-point", "--log-level", "warning"]
    return Program(
        name="Dagster's code server",
        command=command,
        environment=environment,
        folder=state.dagster,
        log=state.logs / "dagster-code.log",
        is_ready=lambda: _listens(ports.code),
    )


def daemon(state: StateFolder, environment: Mapping[str, str]) -> Program:
    """Return the program that ticks sensors and schedules and starts queued runs."""
    log = state.logs / "dagster-daemon.log"
    return Program(
        name="Dagster's daemon",
        command=[sys.executable, "-m", "dagster._daemon", "run", "-w", _workspace(state)],
        environment=environment,
        folder=state.dagster,
        log=log,
        is_ready=lambda: _DAEMON_STARTED in log.read_text(errors="replace"),
    )


def webserver(state: StateFolder, ports: Ports, environment: Mapping[str, str]) -> Program:
    """Return the program with Dagster's pages."""
    command = [sys.executable, "-m", "dagster_webserver", "-w", str(_workspace(state))]
    return Program(
        name="Dagster's web server",
        command=[*command, "--host", HOST, "--port", str(ports.dagster)],
        environment=environment,
        folder=state.dagster,
        log=state.logs / "dagster-webserver.log",
        is_ready=lambda: answers(f"http://{HOST}:{ports.dagster}/server_info"),
    )


def answers(url: str) -> bool:
    """Tell whether an address on this machine answers as it should."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
            return bool(response.status < 400)  # noqa: PLR2004
    except (OSError, urllib.error.URLError):
        return False


def _workspace(state: StateFolder) -> Path:
    return state.dagster / "workspace.yaml"


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
