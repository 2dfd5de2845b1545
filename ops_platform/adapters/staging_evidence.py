"""What ran in Staging, and which code each run ran: by the definition that its execution had."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.adapters.code_packages import CodePackages
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.aws_values import millis, moment
from ops_platform.domain.identity import Links, run_id
from ops_platform.domain.machine_definitions import DefinitionError, read_machine
from ops_platform.domain.provenance import Provenance, provenance
from ops_platform.domain.staging_runs import Files, StagingRun

if TYPE_CHECKING:
    from ops_platform.adapters.accounts import AccountClients

_GONE = frozenset({"StateMachineDoesNotExist", "ExecutionDoesNotExist", "InvalidArn"})
_PAGE = 100
# A proof among older ones than these would be too old; each costs a call that AWS allows slowly.
_LOOKED_AT = 20


class StagingEvidence:
    """The runs of one account's state machines.

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
        packages = CodePackages(clients.s3)
        self._files = cache(packages.files)

    def runs(self, machine: str) -> list[StagingRun]:
        """Return the last runs of a machine, the one that started last first.

        Raises:
            AwsError: AWS cannot be asked.
        """
        arn = f"{self._prefix}{machine}"
        page = self._caller.call_unless(
            _GONE,
            "ListExecutions",
            f"list the executions of {arn}",
            self._client.list_executions,
            stateMachineArn=arn,
            maxResults=_PAGE,
        )
        listed = page["executions"] if page else []
        newest = sorted(listed, key=lambda each: each["startDate"], reverse=True)[:_LOOKED_AT]
        return [self._run(each) for each in newest]

    def _run(self, listed: Mapping[str, Any]) -> StagingRun:
        arn, ended = listed["executionArn"], listed.get("stopDate")
        told = self._provenance(arn)
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
            files=self._packaged(told),
            link=(told and self._links.run(told.flow, run)) or self._links.execution(arn),
        )

    def _provenance(self, execution_arn: str) -> Provenance | None:
        ran = self._caller.call_unless(
            _GONE,
            "DescribeStateMachineForExecution",
            f"read what {execution_arn} ran",
            self._client.describe_state_machine_for_execution,
            executionArn=execution_arn,
        )
        if ran is None:
            return None
        try:
            return provenance(read_machine(ran["definition"]))
        except DefinitionError:
            return None

    def _packaged(self, told: Provenance | None) -> Files | None:
        """Return the files of a run's code package; None if there is none to be read."""
        return self._files(told.code_url) if told and told.code_url else None
