"""What ran in Staging, and which code each run ran: by the definition that its execution had."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.adapters.code_packages import CodePackages
from ops_platform.adapters.state_machine_reads import GONE, StateMachineReads
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.aws_values import millis, moment
from ops_platform.domain.definition_shape import graph
from ops_platform.domain.flow_names import metaflow_branch
from ops_platform.domain.identity import Links, parse_machine_name, run_id
from ops_platform.domain.machine_definitions import Definition, DefinitionError, read_machine
from ops_platform.domain.provenance import Provenance, provenance
from ops_platform.domain.software import software_of
from ops_platform.domain.staging_runs import Files, StagingRun

if TYPE_CHECKING:
    from ops_platform.adapters.accounts import AccountClients

_PAGE = 100


class StagingEvidence:
    """The runs of one account's state machines; fulfils `StagingRuns`.

    Args:
        clients: Those of the account.
        machine_prefix: The ARNs of its state machines up to their names.
        links: Where its runs can be looked at.
        caller: Calls AWS, no faster than the account allows.
    """

    def __init__(
        self,
        clients: "AccountClients",
        *,
        machine_prefix: str,
        links: Links,
        caller: PatientCaller | None = None,
    ) -> None:
        self._client = clients.step_functions
        self._prefix = machine_prefix
        self._links = links
        self._caller = caller or PatientCaller(pacer=Pacer())
        self._reads = StateMachineReads(self._client, self._caller)
        packages = CodePackages(clients.s3)
        self._files = cache(packages.files)

    def runs_of(self, machine: str, branch: str | None) -> Iterator[StagingRun]:
        """Yield the runs of a production machine's flow, those of a git branch first.

        Of each branch the last hundred at most, the latest first.

        Raises:
            AwsError: AWS cannot be asked.
        """
        wanted = parse_machine_name(machine)
        listed = [
            execution
            for name in [each["name"] for each in self._reads.listed()]
            if self._is_of(name, wanted.project, wanted.flow or machine)
            for execution in self._executions(f"{self._prefix}{name}")
        ]
        named = f"{wanted.project}.test.{metaflow_branch(branch or '')}.{wanted.flow}"
        own = f"{self._prefix}{named}"
        listed.sort(key=lambda each: each["startDate"], reverse=True)
        for each in sorted(listed, key=lambda each: each["stateMachineArn"] != own):
            yield self._run(each)

    def _is_of(self, name: str, project: str | None, flow: str) -> bool:
        """Tell whether a machine is of a flow; of a name that Metaflow cut its definition tells."""
        parsed = parse_machine_name(name)
        if parsed.project != project or parsed.flow is not None:
            return (parsed.project, parsed.flow) == (project, flow)
        found = self._reads.described(f"{self._prefix}{name}")
        definition = _read(found["definition"]) if found else None
        return definition is not None and provenance(definition).flow == flow

    def _executions(self, arn: str) -> list[Any]:
        page = self._caller.call_unless(
            GONE,
            "ListExecutions",
            f"list the executions of {arn}",
            self._client.list_executions,
            stateMachineArn=arn,
            maxResults=_PAGE,
        )
        return list(page["executions"]) if page else []

    def _run(self, listed: Mapping[str, Any]) -> StagingRun:
        arn, ended = listed["executionArn"], listed.get("stopDate")
        definition = self._definition(arn)
        told = provenance(definition) if definition else None
        started = listed["startDate"]
        run = run_id(listed["name"])
        return StagingRun(
            run_id=run,
            execution_arn=arn,
            status=listed["status"],
            started_at=moment(millis(started)) or started,
            ended_at=moment(millis(ended)) if ended else None,
            commit=told.commit if told else None,
            is_dirty=told.is_dirty if told else None,
            owner=told.owner if told else None,
            files=self._packaged(told),
            software=software_of(definition) if definition else None,
            graph=graph(definition) if definition else None,
            link=(told and self._links.run(told.flow, run)) or self._links.execution(arn),
        )

    def _definition(self, execution_arn: str) -> Definition | None:
        ran = self._caller.call_unless(
            GONE,
            "DescribeStateMachineForExecution",
            f"read what {execution_arn} ran",
            self._client.describe_state_machine_for_execution,
            executionArn=execution_arn,
        )
        return _read(ran["definition"]) if ran else None

    def _packaged(self, told: Provenance | None) -> Files | None:
        """Return the files of a run's code package; None if there is none to be read."""
        return self._files(told.code_url) if told and told.code_url else None


def _read(text: str) -> Definition | None:
    try:
        return read_machine(text)
    except DefinitionError:
        return None
