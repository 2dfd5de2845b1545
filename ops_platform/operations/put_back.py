"""Production put back as it was: definition, schedule, logging; only what differs is touched.

Logging comes last, since it asks for rights of its own over the deliveries of CloudWatch Logs.
"""

from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform.domain.deployers import Snapshot
from ops_platform.domain.errors import PlatformError


def put_back(
    production: DeployedMachines, snapshot: Snapshot, *, machine: str, rule: str
) -> list[str]:
    """Make a machine and its rule be as they were, and return what was done, in words.

    Called again after it failed, or after it was killed, it does what is left.

    Raises:
        PlatformError: AWS refuses, or the version to go back to is gone.
    """
    return [
        *_machine_back(production, snapshot, machine),
        *_rule_back(production, snapshot, rule),
        *_logging_back(production, snapshot, machine),
    ]


def left_to_do(snapshot: Snapshot, *, machine: str, rule: str) -> str:
    """Return what somebody has to do by hand where that failed."""
    if snapshot.version_arn is None:
        return f"Delete the rule {rule} and the state machine {machine}."
    schedule = snapshot.rule
    then = (
        f"delete the rule {rule}"
        if schedule is None
        else f"put the rule {rule} back to {schedule.expression},"
        f" {'enabled' if schedule.enabled else 'disabled'}"
    )
    left = f"Update {machine} to the definition of {snapshot.version_arn}, and {then}."
    return f"{left} Its logging was {snapshot.logging}." if snapshot.logging else left


def _machine_back(production: DeployedMachines, snapshot: Snapshot, name: str) -> list[str]:
    version_arn = snapshot.version_arn
    now = production.machine(name)
    if version_arn is None:
        if now is None:
            return []
        production.delete(now.arn)
        return [f"deleted {name}"]
    before = production.version(version_arn)
    if before is None:
        raise PlatformError(f"The version {version_arn} is gone.")
    told = {"definition": before.definition, "role_arn": before.role_arn}
    if now is None:
        production.create(name, **told)
        return [f"created {name} as it was"]
    if (now.definition, now.role_arn) == (before.definition, before.role_arn):
        return []
    production.update(now.arn, **told)
    return [f"put {name} back to {version_arn}"]


def _rule_back(production: DeployedMachines, snapshot: Snapshot, name: str) -> list[str]:
    now, before = production.rule(name), snapshot.rule
    if now == before:
        return []
    if before is None:
        production.delete_rule(name)
        return [f"deleted the rule {name}"]
    production.put_rule(before)
    return [f"put the rule {name} back"]


def _logging_back(production: DeployedMachines, snapshot: Snapshot, name: str) -> list[str]:
    now = production.machine(name) if snapshot.logging else None
    if now is None or now.logging == snapshot.logging:
        return []
    told = {"definition": now.definition, "role_arn": now.role_arn}
    production.update(now.arn, **told, logging=snapshot.logging)
    return [f"put the logging of {name} back"]
