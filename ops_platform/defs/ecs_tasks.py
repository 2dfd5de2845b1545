"""ECS tasks of the sandbox, run with Dagster's Pipes client, so that Dagster ends what it began."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from ops_platform.adapters.aws_errors import explained
from ops_platform.domain.errors import PlatformError
from ops_platform.settings.promotion import SandboxSettings

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

_LOOK_SECONDS = 2


class DeafReader(dg.PipesMessageReader):
    """Hears nothing: what the container prints is a stranger's, and could pass for our events."""

    @contextmanager
    def read_messages(self, handler: object) -> Iterator[dict[str, Any]]:  # noqa: ARG002, Dagster's
        """Give the container no channel to tell anything by."""
        yield {}

    @property
    def expected_writer_count(self) -> int:
        """How many writers are waited for."""
        return 1

    def no_messages_debug_text(self) -> str:
        """Say that there was nothing to hear."""
        return "Nothing is read from a sandbox; its outcome is put into S3."


class EcsTasks:
    """Runs commands as ECS tasks on behalf of an op.

    Args:
        client: That of ECS.
        settings: Which task, and where.
        context: The op.
    """

    def __init__(
        self, client: "ECSClient", settings: SandboxSettings, context: dg.OpExecutionContext
    ) -> None:
        self._client = client
        self._settings = settings
        self._context = context

    def run(self, command: Sequence[str], seconds: float) -> None:
        """Run a command to its end.

        Raises:
            PlatformError: The task may not be run, could not be, or took too long.
        """
        # It imports boto3, which loading the code location must not pay for.
        from dagster_aws.pipes import PipesECSClient  # noqa: PLC0415

        self._refuse_credentials()
        pipes = PipesECSClient(client=self._client, message_reader=DeafReader())
        attempts = max(int(seconds / _LOOK_SECONDS), 1)
        try:
            with explained("run the ECS task of a sandbox"):
                pipes.run(
                    context=self._context,
                    run_task_params=self._parameters(command),  # type: ignore[arg-type]
                    waiter_config={"Delay": _LOOK_SECONDS, "MaxAttempts": attempts},
                )
        except RuntimeError as error:  # so Dagster tells of a container that failed
            raise PlatformError(f"The ECS task of a sandbox failed: {error}") from None

    def _parameters(self, command: Sequence[str]) -> Mapping[str, Any]:
        told = self._settings
        network = {
            "subnets": list(told.subnets),
            "securityGroups": list(told.security_groups),
            "assignPublicIp": "DISABLED",
        }
        override = {"name": told.container, "command": list(command)}
        return {
            "cluster": told.cluster,
            "taskDefinition": told.task_definition,
            "launchType": "FARGATE",
            "count": 1,
            "networkConfiguration": {"awsvpcConfiguration": network},
            "overrides": {"containerOverrides": [override]},
        }

    def _refuse_credentials(self) -> None:
        """Refuse a task with a role or a secret: a stranger's code would have it."""
        name = self._settings.task_definition
        with explained(f"read the task definition {name}"):
            told = self._client.describe_task_definition(taskDefinition=name)
        definition = told["taskDefinition"]
        role = definition.get("taskRoleArn")
        if role or any(each.get("secrets") for each in definition.get("containerDefinitions", [])):
            raise PlatformError(
                f"The task definition {name} has {f'the role {role}' if role else 'secrets'}: code"
                " of a pull request would have it too. Take it away; the execution role is no"
                " matter."
            )
