"""What runs in production, read and changed through Step Functions, EventBridge, Batch and S3."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.adapters.code_packages import CodePackages
from ops_platform.adapters.deployed_rules import DeployedRules
from ops_platform.adapters.state_machine_reads import GONE, StateMachineReads
from ops_platform.adapters.step_functions_pace import Pacer
from ops_platform.domain.aws_values import millis, moment
from ops_platform.domain.deployed_machines import DeployedMachine, MovedError, Rule, Started
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.provenance import provenance

if TYPE_CHECKING:
    from ops_platform.adapters.accounts import AccountClients

_INITIAL = "INITIAL"  # how a machine is published that was never updated
_LONGEST_DESCRIPTION = 256
_LONGEST_CAUSE = 32_768
_MOST_DESCRIBED = 100


class AwsDeployedMachines:
    """The state machines and rules of one account; fulfils `DeployedMachines`.

    Args:
        clients: Those of the account.
        region: Its region.
        aws_account_id: Its number.
        caller: Calls AWS, no faster than the account allows.
    """

    def __init__(
        self,
        clients: "AccountClients",
        *,
        region: str,
        aws_account_id: str,
        caller: PatientCaller | None = None,
    ) -> None:
        self._clients = clients
        self._client = clients.step_functions
        self._prefix = f"arn:aws:states:{region}:{aws_account_id}:stateMachine:"
        self._caller = caller or PatientCaller(pacer=Pacer())
        self._reads = StateMachineReads(self._client, self._caller)
        self._rules = DeployedRules(clients.events, self._caller)

    def machine(self, name: str) -> DeployedMachine | None:
        """Return the machine of that name as the next execution would run it."""
        return self._described(f"{self._prefix}{name}")

    def version(self, arn: str) -> DeployedMachine | None:
        """Return a published version, None if it is gone."""
        return self._described(arn)

    def names(self) -> list[str]:
        """Return the names of all standard machines."""
        return [each["name"] for each in self._reads.listed() if each["type"] == "STANDARD"]

    def publish(self, machine: DeployedMachine, *, description: str) -> str:
        """Publish a version of exactly this revision and return its ARN, the same each time."""
        try:
            answer = self._caller.call(
                "PublishStateMachineVersion",
                f"publish a version of {machine.name}",
                self._client.publish_state_machine_version,
                stateMachineArn=machine.arn,
                revisionId=machine.revision or _INITIAL,
                description=description[:_LONGEST_DESCRIPTION],
            )
        except AwsError as error:
            if error.code == "ConflictException":
                raise MovedError(
                    f"Somebody changed {machine.name} meanwhile. Look at it, then ask again."
                ) from None
            raise
        return str(answer["stateMachineVersionArn"])

    def create(self, name: str, *, definition: str, role_arn: str) -> str:
        """Create a machine without a schedule and return its ARN."""
        answer = self._caller.call(
            "CreateStateMachine",
            f"create the state machine {name}",
            self._client.create_state_machine,
            name=name,
            definition=definition,
            roleArn=role_arn,
            type="STANDARD",
        )
        return str(answer["stateMachineArn"])

    def update(
        self, arn: str, *, definition: str, role_arn: str, logging: str | None = None
    ) -> str | None:
        """Give a machine another definition and return its new revision."""
        logs = {"loggingConfiguration": json.loads(logging)} if logging else {}
        answer = self._caller.call(
            "UpdateStateMachine",
            f"update the state machine {arn}",
            self._client.update_state_machine,
            stateMachineArn=arn,
            definition=definition,
            roleArn=role_arn,
            **logs,
        )
        return answer.get("revisionId")

    def delete(self, arn: str) -> None:
        """Delete a machine with all its versions; one that is gone is no error."""
        self._caller.call(
            "DeleteStateMachine",
            f"delete the state machine {arn}",
            self._client.delete_state_machine,
            stateMachineArn=arn,
        )

    def rule(self, name: str) -> Rule | None:
        """Return a rule with its targets, None if there is none."""
        return self._rules.get(name)

    def put_rule(self, rule: Rule) -> None:
        """Make a rule be exactly this, its targets included."""
        self._rules.put(rule)

    def delete_rule(self, name: str) -> None:
        """Delete a rule with its targets; one that is gone is no error."""
        self._rules.delete(name)

    def start(self, machine_arn: str, *, name: str, text: str) -> Started:
        """Start an execution, or return the one that was started under this name before."""
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
        try:
            answer = self._caller.call(
                "StartExecution",
                f"start {name} of {machine_arn}",
                self._client.start_execution,
                stateMachineArn=machine_arn,
                name=name,
                input=text,
            )
            arn = answer["executionArn"]
        except AwsError as error:
            if error.code != "ExecutionAlreadyExists":
                raise
        started = self.execution(arn)
        if started is None:
            raise AwsError(f"{arn} was started and is gone.", code="ExecutionDoesNotExist")
        return started

    def execution(self, arn: str) -> Started | None:
        """Return an execution as it is now, None if it is gone."""
        answer = self._caller.call_unless(
            GONE,
            "DescribeExecution",
            f"read the execution {arn}",
            self._client.describe_execution,
            executionArn=arn,
        )
        if answer is None:
            return None
        ended = answer.get("stopDate")
        return Started(
            answer["executionArn"],
            answer["status"],
            _exact(answer["startDate"]),
            None if ended is None else _exact(ended),
        )

    def stop(self, execution_arn: str, *, cause: str) -> None:
        """Stop an execution; one that has ended is no error."""
        self._caller.call(
            "StopExecution",
            f"stop {execution_arn}",
            self._client.stop_execution,
            executionArn=execution_arn,
            cause=cause[:_LONGEST_CAUSE],
        )

    def missing(self, machine: DeployedMachine) -> list[str]:
        """Return what a definition needs and is gone: job definitions, its code package."""
        definition = read_machine(machine.definition)
        wanted = sorted({step.job_definition for step in definition.steps})
        active = self._active_job_definitions(wanted)
        gone = [f"the job definition {arn}" for arn in wanted if arn not in active]
        code = provenance(definition).code_url
        if code is not None and not CodePackages(self._clients.s3).exists(code):
            gone.append(f"the code package {code}")
        return gone

    def _active_job_definitions(self, arns: list[str]) -> set[str]:
        active: set[str] = set()
        for start in range(0, len(arns), _MOST_DESCRIBED):
            answer = self._caller.call(
                "DescribeJobDefinitions",
                "read the job definitions",
                self._clients.batch.describe_job_definitions,
                jobDefinitions=arns[start : start + _MOST_DESCRIBED],
            )
            found = answer["jobDefinitions"]
            active |= {each["jobDefinitionArn"] for each in found if each["status"] == "ACTIVE"}
        return active

    def _described(self, arn: str) -> DeployedMachine | None:
        answer = self._reads.described(arn)
        if answer is None:
            return None
        logged = answer.get("loggingConfiguration")
        return DeployedMachine(
            arn=answer["stateMachineArn"],
            name=answer["name"],
            definition=answer["definition"],
            role_arn=answer["roleArn"],
            revision=answer.get("revisionId"),
            logging=json.dumps(logged, sort_keys=True) if logged else None,
            created_at=_exact(answer["creationDate"]),
        )


def _exact(at: datetime) -> datetime:
    """Return a moment as events have it, to the millisecond."""
    return moment(millis(at)) or at
