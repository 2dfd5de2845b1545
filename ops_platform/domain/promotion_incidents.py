"""The incident of a change of production that failed: told to whoever asked for it."""

from ops_platform.domain.incidents import Incident, Kind, State, digest_of, incident_id
from ops_platform.domain.promotions import Entry, Request, What
from ops_platform.domain.reasons import Reason
from ops_platform.domain.stale_incidents import WHAT_TO_DO

FAILURES = frozenset({What.FAILED, What.LEFT})
"""The ends that are told. Who was refused is told where he asked, and nothing was touched."""


def change_incident(request: Request, entry: Entry) -> Incident:
    """Return the incident of a change that ended so."""
    left = entry.detail.get("left")
    lines = [entry.detail["error"], f"{WHAT_TO_DO}: {left}"] if left else [entry.message]
    return Incident(
        id=incident_id(f"change/{request.account}/{request.id}"),
        account=request.account,
        flow=request.flow or request.machine,
        run_id=request.id,
        execution_arn=None,
        machine_arn=None,
        kind=Kind.CHANGE_FAILED,
        state=State.OPEN,
        owner=request.actor,
        project=request.project,
        branch=None,
        started_at=request.requested_at,
        opened_at=entry.at,
        failed_jobs=0,
        collateral_jobs=0,
        steps={},
        reason=Reason.HALF_DONE if entry.what is What.LEFT else Reason.AS_IT_WAS,
        error="\n".join(" ".join(str(line).split()) for line in lines),
        step=None,
        job_id=None,
        log_stream=None,
        failing=digest_of([request.id, entry.what]),
    )


def is_about(incident: Incident, request: Request) -> bool:
    """Tell whether an incident is about the flow that a request changes."""
    flow = request.flow or request.machine
    return (incident.account, incident.project, incident.flow) == (
        request.account, request.project, flow,
    )  # fmt: skip
