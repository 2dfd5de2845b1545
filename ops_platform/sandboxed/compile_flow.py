"""Lint a flow and deploy it to a stand-in for AWS: ``python -I -m … REQUEST``, a report on stdout.

The request is a JSON object: ``python`` (the interpreter of the flow's environment), ``flow`` (its
file), ``options`` (of Metaflow's, such as ``--branch``), ``production``, ``create`` (options of
``step-functions create``), ``queues`` (name: EC2 or FARGATE), ``settings`` (further ``METAFLOW_``
variables, an empty one being unset) and ``seconds``. The report is, as JSON,
`ops_platform.domain.compiled_flow.Compiled`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from ops_platform.sandboxed.stand_in import ACCOUNT, REGION, StandIn, serving

_KEPT = 90_000
_CHUNK = 1 << 16
_NO_PROJECT = b"o such option: --production"
_ENVIRONMENT = re.compile(rb"decorator requires --environment=(\w+)")
# Found by Metaflow as an extension of it: it names environments, and resolves none.
_UNRESOLVED = Path(__file__).with_name("unresolved")


def main() -> None:
    """Make the report."""
    request = json.loads(sys.argv[1])
    stand_in = StandIn(request["queues"])
    with serving(stand_in) as url, tempfile.TemporaryDirectory() as home:
        environment = _environment(request, url, home)
        report = _compiled(request, environment)
        if resolved_by := report["environment"]:
            request["options"] = [*request["options"], f"--environment={resolved_by}"]
            environment["PYTHONPATH"] = str(_UNRESOLVED)
            report = {**_compiled(request, environment), "environment": resolved_by}
    report = {"folder": str(Path.cwd()), **report, **vars(stand_in.kept)}
    sys.stdout.write(json.dumps(report))


def _compiled(request: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Lint and deploy side by side; ``environment`` is the kind that the flow asks for."""
    linting = _Running(_lint(request), environment, request["seconds"])
    created = _create(request, environment)
    linted = linting.ended()
    asked = _ENVIRONMENT.search(linted["text"].encode())
    kind = asked.group(1).decode() if asked else None
    return {"lint": linted, "create": created, "environment": kind}


def _lint(request: dict[str, Any]) -> list[str]:
    return [request["python"], request["flow"], *request["options"], "check"]


def _create(request: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Deploy; only a flow with @project knows an option --production."""
    quiet = environment | {"METAFLOW_PYLINT": "0"}
    for option in ["--production"] if request["production"] else [], []:
        start = [request["python"], request["flow"], *request["options"], *option]
        line = [*start, "step-functions", "create", *request["create"]]
        running = _Running(line, quiet, request["seconds"])
        report = running.ended()
        if not (option and running.said(_NO_PROJECT)):
            break
    return report


class _Running:
    """A command that runs; of what it prints on both streams the beginning and the end are kept."""

    def __init__(self, line: list[str], environment: dict[str, str], seconds: float) -> None:
        self._began = time.monotonic()
        self._seconds = seconds
        self._first, self._last = b"", b""
        self._process = subprocess.Popen(
            line,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout is not None  # noqa: S101, it is a pipe
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout], daemon=True)
        self._reader.start()

    def ended(self) -> dict[str, Any]:
        """Wait for its end, or end it, and return what became of it."""
        left = self._seconds - (time.monotonic() - self._began)
        try:
            code: int | None = self._process.wait(max(left, 0.0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        self._reader.join(1.0)  # a child of its own may keep the pipe open
        seconds = round(time.monotonic() - self._began, 3)
        return {"exit_code": code, "text": self._text(), "seconds": seconds}

    def said(self, words: bytes) -> bool:
        """Tell whether it printed some words."""
        return words in self._first or words in self._last

    def _read(self, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), _CHUNK):
            room = _KEPT - len(self._first)
            self._first += chunk[:room]
            self._last = (self._last + chunk[room:])[-_KEPT:]

    def _text(self) -> str:
        between = b"\n[...]\n" if len(self._last) == _KEPT else b""
        return (self._first + between + self._last).decode(errors="replace")


def _environment(request: dict[str, Any], url: str, home: str) -> dict[str, str]:
    """Return all that Metaflow needs; whatever the request sets goes before."""
    role = f"arn:aws:iam::{ACCOUNT}:role/sandbox"
    settings = {
        "METAFLOW_BATCH_JOB_QUEUE": next(iter(request["queues"]), "sandbox"),
        "METAFLOW_DATASTORE_SYSROOT_S3": "s3://sandbox/metaflow",
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_ECS_FARGATE_EXECUTION_ROLE": role,
        "METAFLOW_ECS_S3_ACCESS_IAM_ROLE": role,
        "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE": role,
        "METAFLOW_SFN_DYNAMO_DB_TABLE": "sandbox",
        "METAFLOW_SFN_IAM_ROLE": role,
        "METAFLOW_USER": "soteria",
        **request["settings"],
        # These hold in a sandbox whatever is set: there is nobody else to ask.
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": home,
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_HOME": home,
        "METAFLOW_S3_ENDPOINT_URL": url,
    }
    aws = {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    # Metaflow takes an empty setting for one that is given.
    given = {name: value for name, value in settings.items() if value}
    return {**os.environ, **given, **aws, "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    main()
