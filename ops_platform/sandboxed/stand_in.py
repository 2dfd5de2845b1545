"""A stand-in for AWS that a flow is deployed to without any account: it keeps what it is given.

It answers what Metaflow's ``step-functions create`` asks and nothing else: S3 takes everything,
Batch has the queues that it was told of, Step Functions and EventBridge note what would be put.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT, REGION = "000000000000", "us-east-1"
_LARGEST = 512 << 20
_CHUNK = 1 << 20


@dataclass
class Kept:
    """What a deployment has put."""

    machine: str | None = None
    definition: str | None = None
    rule: dict[str, str] | None = None


@dataclass(frozen=True)
class StandIn:
    """The answers of one stand-in; ``queues`` names the platform of each, EC2 or FARGATE."""

    queues: Mapping[str, str]
    kept: Kept = field(default_factory=Kept)

    def answer(self, target: str | None, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer to a call of AWS's JSON protocols, None for one that is not known."""
        name = target.rpartition(".")[2] if target else path.removeprefix("/v1/")
        known = _CALLS.get(name)
        return known(self, body) if known else None

    def queues_named(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeJobQueues; a queue that nobody told of is one on EC2."""
        wanted = [str(each).rpartition("/")[2] for each in body.get("jobQueues") or []]
        return {"jobQueues": [_queue(name) for name in wanted]}

    def environments_named(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeComputeEnvironments: each queue has one, which is called like it."""
        wanted = [str(each).rpartition("/")[2] for each in body.get("computeEnvironments") or []]
        made = [_environment(name, self.queues.get(name, "EC2")) for name in wanted]
        return {"computeEnvironments": made}

    def create_machine(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer CreateStateMachine, and keep the machine."""
        self.kept.machine = str(body.get("name"))
        self.kept.definition = str(body.get("definition"))
        arn = _arn("states", f"stateMachine:{self.kept.machine}")
        return {"stateMachineArn": arn, "creationDate": 1.0}

    def put_rule(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer PutRule, and keep the rule."""
        name, expression = str(body.get("Name")), str(body.get("ScheduleExpression"))
        self.kept.rule = {"name": name, "expression": expression}
        return {"RuleArn": _arn("events", f"rule/{name}")}


_CALLS: dict[str, Callable[[StandIn, dict[str, Any]], dict[str, Any]]] = {
    "ListStateMachines": lambda _, __: {"stateMachines": []},
    "CreateStateMachine": StandIn.create_machine,
    "PutRule": StandIn.put_rule,
    "PutTargets": lambda _, __: {"FailedEntryCount": 0, "FailedEntries": []},
    "DisableRule": lambda _, __: {},
    "describejobqueues": StandIn.queues_named,
    "describecomputeenvironments": StandIn.environments_named,
    "describejobdefinitions": lambda _, __: {"jobDefinitions": []},
    "registerjobdefinition": lambda _, body: {
        "jobDefinitionName": body.get("jobDefinitionName"),
        "jobDefinitionArn": _arn("batch", f"job-definition/{body.get('jobDefinitionName')}:1"),
        "revision": 1,
    },
}


class _Handler(BaseHTTPRequestHandler):
    """Reads one request and answers it; ``stand_in`` is set on the class that serves."""

    protocol_version = "HTTP/1.1"
    # Or a body waits 40 ms for the acknowledgement of its headers, in each of some fifty calls.
    disable_nagle_algorithm = True
    stand_in: StandIn

    def do_POST(self) -> None:
        """Answer a call of Batch, Step Functions or EventBridge."""
        try:
            body = json.loads(self._body() or b"{}")
        except ValueError:
            body = None
        answer = None
        if isinstance(body, dict):
            answer = self.stand_in.answer(self.headers.get("X-Amz-Target"), self.path, body)
        if answer is None:
            self._send(400, {"__type": "AccessDeniedException", "message": "Not in a sandbox."})
        else:
            self._send(200, answer)

    def do_PUT(self) -> None:
        """Take an object, and forget it."""
        self._body(keep=False)
        self._send(200, None)

    def do_HEAD(self) -> None:
        """Say that S3 has no such object, so that it is put."""
        self._send(404, None)

    def do_GET(self) -> None:
        """Say that S3 has no such object."""
        self._send(404, None)

    def log_message(self, *_: object) -> None:
        """Say nothing: what is printed is the report."""

    def _body(self, *, keep: bool = True) -> bytes:
        left = min(int(self.headers.get("Content-Length") or 0), _LARGEST)
        parts = []
        while left > 0 and (part := self.rfile.read(min(left, _CHUNK))):
            left -= len(part)
            parts += [part] if keep else []
        return b"".join(parts)

    def _send(self, status: int, document: dict[str, Any] | None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """Serve a stand-in on a port of its own, and yield its address."""
    handler = type("_Serving", (_Handler,), {"stand_in": stand_in})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _queue(name: str) -> dict[str, Any]:
    arn = _arn("batch", f"compute-environment/{name}")
    return {
        "jobQueueName": name,
        "jobQueueArn": _arn("batch", f"job-queue/{name}"),
        "state": "ENABLED",
        "status": "VALID",
        "priority": 1,
        "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": arn}],
    }


def _environment(name: str, platform: str) -> dict[str, Any]:
    return {
        "computeEnvironmentName": name,
        "computeEnvironmentArn": _arn("batch", f"compute-environment/{name}"),
        "type": "MANAGED",
        "state": "ENABLED",
        "status": "VALID",
        "computeResources": {"type": platform, "maxvCpus": 16, "subnets": []},
    }
