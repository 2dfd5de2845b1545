"""What we deployed to production last, and whether it is still so: drift.

Of a definition a digest is kept, and the version that Step Functions published of it: the text
holds the environment of containers.
"""

import hashlib
from datetime import datetime

import msgspec

from ops_platform.domain.checks import DRIFT
from ops_platform.domain.definition_diff import digest
from ops_platform.domain.deployed_machines import DeployedMachine, Rule
from ops_platform.domain.findings import Finding, Severity
from ops_platform.domain.machine_definitions import DefinitionError, read_machine
from ops_platform.domain.promotions import Kind
from ops_platform.domain.provenance import provenance


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as it was deployed, rolled back or adopted.

    ``version_arn`` is the version of Step Functions to go back to; ``digest`` is that of its
    definition and role (see `digest_of`). ``replaced`` is the deployment before it, and
    ``execution_arn`` the first run. ``code_url`` is its code package,
    and ``production_token`` names Metaflow's namespace for it, which is no secret.
    """

    account: str
    machine: str
    machine_arn: str
    promotion_id: str
    kind: Kind
    digest: str
    version_arn: str
    revision: str | None
    rule: Rule | None
    deployed_at: datetime
    deployed_by: str
    flow: str | None = None
    project: str | None = None
    commit: str | None = None
    owner: str | None = None
    code_url: str | None = None
    production_token: str | None = None
    replaced: int | None = None
    execution_arn: str | None = None
    id: int | None = None


def judge_drift(
    deployment: Deployment | None, machine: DeployedMachine | None, rule: Rule | None
) -> Finding:
    """Return whether a machine is as we last deployed it.

    Args:
        deployment: The last one that is on record, None without any.
        machine: What runs, None without any.
        rule: Its rule, None without any.
    """
    if machine is None:
        return _without_machine(deployment)
    if deployment is None:
        message = f"{machine.name} was deployed by hand, before us."
        return DRIFT.passed(message, reason="unadopted")
    since = f"since {deployment.kind} by {deployment.deployed_by}"
    if deployment.digest != digest_of(machine):
        message = f"Somebody changed the definition or the role of {machine.name} {since}."
        return DRIFT.failed("changed-definition", message)
    if deployment.code_url != code_of(machine):
        return DRIFT.failed(
            "changed-code", f"Somebody deployed other code to {machine.name} {since}."
        )
    if deployment.rule != rule:
        before, now = _shown(deployment.rule), _shown(rule)
        message = f"Somebody changed the schedule of {machine.name} {since}: {before} is now {now}."
        return DRIFT.failed("changed-schedule", message)
    return DRIFT.passed(f"{machine.name} is as it was deployed.", reason="as-deployed")


def code_of(machine: DeployedMachine) -> str | None:
    """Return where the code package is that a machine runs, None of one that is not Metaflow's."""
    try:
        return provenance(read_machine(machine.definition)).code_url
    except DefinitionError:
        return None


def digest_of(machine: DeployedMachine) -> str:
    """Return the digest of what a machine runs, and with which role.

    Of its definition without what differs between two deployments of the same flow, but for the
    job definitions: each is taken with its revision, by which another image could be slipped in.
    """
    try:
        definition = read_machine(machine.definition)
    except DefinitionError:
        return "not Metaflow's"
    jobs = sorted({step.job_definition for step in definition.steps})
    told = "\0".join([digest(definition), machine.role_arn, *jobs])
    return hashlib.sha256(told.encode()).hexdigest()


def _without_machine(deployment: Deployment | None) -> Finding:
    if deployment is None:
        return DRIFT.passed("It is not in production yet.", reason="new")
    message = f"{deployment.machine} is gone; somebody deleted it."
    found = DRIFT.failed("gone", message, fix="Roll back to the last deployment, or deploy anew.")
    return msgspec.structs.replace(found, severity=Severity.WARNING)  # deploying is what mends it


def _shown(rule: Rule | None) -> str:
    if rule is None:
        return "no schedule"
    return rule.expression if rule.enabled else f"{rule.expression} (disabled)"
