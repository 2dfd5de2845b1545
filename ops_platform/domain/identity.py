"""Metaflow's names and AWS's names for the same things, and the links between them.

Sources: Metaflow's ``step_functions_cli.py`` (state machine names), ``batch.py`` (job parameters)
and ``metaflow-ui`` (routes); the consoles' addresses are those of the AWS web console.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import quote

from ops_platform.domain.job_log import BATCH_LOG_GROUP

RUN_PREFIX = "sfn-"
_LONGEST_RULE = 64
_PROJECT_MACHINE = re.compile(
    r"(?P<project>[a-z0-9_]{1,128})\.(?P<branch>prod|(?:prod|test|user)\..+)\.(?P<flow>[A-Za-z_]\w*)"
)
_HASHED = re.compile(r".{60}-[a-z2-7]{16}")
# Dagster has 512 characters for the JSON of a key; one it cannot store would stop the sensor.
LONGEST_PART = 150


@dataclass(frozen=True, slots=True)
class MachineName:
    """What the name of a state machine tells: ``flow`` is None where the name does not hold it."""

    project: str | None
    branch: str | None
    flow: str | None


def parse_machine_name(name: str) -> MachineName:
    """Read a state machine's name as Metaflow builds it.

    ``{project}.{branch}.{Flow}`` with ``@project``, else the flow's name. A name of more than 60
    characters is cut and hashed by Metaflow, so the flow cannot be told from it; nor can it where
    somebody chose another ``--name``, hence jobs overrule a name without a project.
    """
    if match := _PROJECT_MACHINE.fullmatch(name):
        return MachineName(**match.groupdict())
    if _HASHED.fullmatch(name) or not name.isidentifier():
        project, _, rest = name.partition(".")
        return MachineName(project=project if rest else None, branch=None, flow=None)
    return MachineName(project=None, branch=None, flow=name)


def arn_tail(arn: str) -> str:
    """Return what follows the last ``/`` or ``:`` resource separator: a name, perhaps a revision.

    ``arn:…:job-queue/metaflow`` gives ``metaflow``, ``arn:…:job-definition/x:3`` gives ``x:3``.
    """
    return arn.rsplit("/", 1)[-1] if "/" in arn else arn.rsplit(":", 1)[-1]


def machine_name(state_machine_arn: str) -> str:
    """Return the name within a state machine's ARN; a Distributed Map's label stays on it."""
    return state_machine_arn.split(":", 6)[-1]


def rule_name(machine: str) -> str:
    """Return the name of the rule by which Metaflow starts a state machine.

    Source: ``format`` in Metaflow's ``event_bridge_client.py``.
    """
    if len(machine) <= _LONGEST_RULE:
        return machine
    digest = base64.b32encode(hashlib.sha1(machine.encode()).digest()).decode()  # noqa: S324
    return f"{machine[:47]}-{digest[:16].lower()}"


def run_id(execution_name: str) -> str:
    """Return Metaflow's run id of a Step Functions execution."""
    return f"{RUN_PREFIX}{execution_name}"


def flow_asset(account: str, project: str | None, flow: str) -> list[str]:
    """Return the key of a flow's asset in Dagster."""
    return ["flows", *(_short(part) for part in (account, project, flow) if part)]


def deployment_asset(project: str | None, flow: str) -> list[str]:
    """Return the key of the asset in Dagster that is what runs of a flow in production."""
    return ["deployments", *(_short(part) for part in (project, flow) if part)]


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of one account's consoles; those of pages that nobody named are None."""

    region: str
    metaflow_ui: str | None = None
    dagster: str | None = None

    def history(self, account: str, project: str | None, flow: str) -> str | None:
        """Return Dagster's page of a flow's runs."""
        if self.dagster is None:
            return None
        key = "/".join(quote(part, safe="") for part in flow_asset(account, project, flow))
        return f"{self.dagster.rstrip('/')}/assets/{key}?view=events"

    def run(self, flow: str, run: str) -> str | None:
        """Return the Metaflow UI's page of a run."""
        return self._ui(flow, run)

    def task(self, flow: str, run: str, step: str, job_id: str) -> str | None:
        """Return the Metaflow UI's page of a task; its id is the Batch job's id."""
        return self._ui(flow, run, step, job_id)

    def execution(self, execution_arn: str) -> str:
        """Return the Step Functions console's page of an execution."""
        return f"{self._console('states')}#/v2/executions/details/{quote(execution_arn, safe=':')}"

    def log(self, log_stream: str, log_group: str = BATCH_LOG_GROUP) -> str:
        """Return the CloudWatch console's page of a log stream."""
        group, stream = (_twice_quoted(part) for part in (log_group, log_stream))
        page = f"#logsV2:log-groups/log-group/{group}/log-events/{stream}"
        return f"{self._console('cloudwatch')}{page}"

    def dashboard(self, name: str) -> str:
        """Return the CloudWatch console's page of a dashboard."""
        return f"{self._console('cloudwatch')}#dashboards/dashboard/{quote(name, safe='')}"

    def _ui(self, *parts: str) -> str | None:
        if self.metaflow_ui is None:
            return None
        return "/".join([self.metaflow_ui.rstrip("/"), *(quote(part, safe="") for part in parts)])

    def _console(self, service: str) -> str:
        return f"https://{self.region}.console.aws.amazon.com/{service}/home?region={self.region}"


def _short(name: str) -> str:
    """Return a part of a key: a foreign name as it is, or cut and told apart by its hash."""
    if len(json.dumps(name)) <= LONGEST_PART:
        return name
    return f"{name[:10]}…{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _twice_quoted(text: str) -> str:
    # The CloudWatch console decodes its fragment twice and writes "$" for the inner "%".
    return quote(quote(text, safe=""), safe="").replace("%", "$")
