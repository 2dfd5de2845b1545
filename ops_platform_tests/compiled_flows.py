"""Definitions of state machines as Metaflow 2.19 compiles them, each time with other names."""

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Self

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass(frozen=True)
class CompiledStep:
    """What a flow says of a step."""

    name: str
    cpu: str = "1"
    memory: str = "4096"
    gpu: str | None = None
    queue: str = "metaflow"
    image: str = "python:3.11"
    attempts: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    foreach: bool = False
    job_tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CompiledFlow:
    """A flow, and where it was deployed from."""

    steps: tuple[CompiledStep, ...] = (CompiledStep("start"), CompiledStep("end"))
    flow: str = "Forecast"
    owner: str = "soteria"
    commit: str | None = COMMIT
    is_dirty: bool | None = False
    code: str = "s3://metaflow/metaflow/Forecast/data/dd/dd28"
    tags: tuple[str, ...] = ()
    metaflow: str = "2.19.39"
    revision: int = 1

    def but(self, **changes: object) -> Self:
        """Return it with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def but_first(self, **changes: object) -> Self:
        """Return it with something else in its first step."""
        first = replace(self.steps[0], **changes)  # type: ignore[arg-type]
        return replace(self, steps=(first, *self.steps[1:]))

    def text(self) -> str:
        """Return the definition."""
        names = [step.name for step in self.steps]
        states: dict[str, Any] = {}
        for step, after in zip(self.steps, [*names[1:], None], strict=True):
            state = self._state(step) | ({"Next": after} if after else {"End": True})
            inner = {"StartAt": step.name, "States": {step.name: state}}
            states |= (
                {f"*{step.name}": {"Type": "Map", "Iterator": inner}}
                if step.foreach
                else {step.name: state}
            )
        return json.dumps({"StartAt": names[0], "States": states})

    def _state(self, step: CompiledStep) -> dict[str, Any]:
        sizes = {"VCPU": step.cpu, "MEMORY": step.memory, "GPU": step.gpu}
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::batch:submitJob.sync",
            "Parameters": {
                "JobDefinition": f"arn:aws:batch:eu-west-1:1:job-definition/m_abc:{self.revision}",
                "JobName": f"SFN-{self.flow}--{step.name}--",
                "JobQueue": step.queue,
                "Parameters": {
                    "metaflow.owner": self.owner,
                    "metaflow.flow_name": self.flow,
                    "metaflow.step_name": step.name,
                    "metaflow.version": self.metaflow,
                    "metaflow.production_token": "mfprj-abc-0-defg",
                },
                "ContainerOverrides": {
                    "Command": ["bash", "-c", self._command(step)],
                    "ResourceRequirements": [
                        {"Value": value, "Type": kind} for kind, value in sizes.items() if value
                    ],
                    "Environment": self._environment(step),
                },
                "RetryStrategy": {"Attempts": step.attempts},
                "Timeout": {"AttemptDurationSeconds": 432000},
                **({"Tags": step.job_tags} if step.job_tags else {}),
            },
        }

    def _command(self, step: CompiledStep) -> str:
        drawn = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(10))
        key = self.code.split("/", 3)[-1]
        tags = "".join(f" --tag {tag}" for tag in self.tags)
        return (
            f"download {key} || echo {self.code}; python -m metaflow.plugins.aws.step_functions."
            f"set_batch_environment parameters {drawn} && . `pwd`/{drawn} && python flow.py"
            f" --with 'batch:cpu={step.cpu},image={step.image},queue={step.queue}' step"
            f" {step.name}{tags}"
        )

    def _environment(self, step: CompiledStep) -> list[dict[str, str]]:
        version = {
            "username": self.owner,
            "script": "flow.py",
            "environment_type": "local",
            "python_version_code": "3.11.7",
            "metaflow_version": self.metaflow,
            "repo_url": "https://git.example.com/shop/flows",
            "branch_name": "main",
            "commit_sha": self.commit,
            "has_uncommitted_changes": self.is_dirty,
        }
        told = {key: value for key, value in version.items() if value is not None}
        given = {
            "METAFLOW_CODE_URL": self.code,
            "METAFLOW_VERSION": json.dumps(told),
            **step.environment,
        }
        entries = [{"Name": name, "Value": value} for name, value in given.items()]
        return [*entries, {"Name": "METAFLOW_PARAMETERS", "Value.$": "$.Parameters"}]
