"""What Batch itself says of a RUNNABLE job that blocks its queue, in its ``statusReason``.

One entry of ``_NATIVE`` is one reason. They are told apart by what stands before the dash, which
AWS writes long or short. The sentences are ours, after what AWS documents of each.
"""

import re
from dataclasses import dataclass

from ops_platform.domain.causes import Cause


@dataclass(frozen=True, slots=True)
class NativeReason:
    """A reason of Batch's own, what it means and what is to be done."""

    cause: Cause
    code: str
    sentence: str
    advice: str


_TYPE = re.compile(r"instance type \[?([a-z0-9][a-z0-9.-]{1,40})", re.IGNORECASE)
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_CODE = re.compile(r"[A-Z][A-Z_0-9]*(:[A-Z_0-9]+)?")
_WAIT_OR_WIDEN = (
    "Add more instance types, Availability Zones or on-demand capacity to the compute environments,"
    " or ask for a size that is less scarce."
)
_NATIVE: dict[str, tuple[Cause, str, str]] = {
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": (
        Cause.MAX_VCPUS_REPORTED,
        "Batch finds the maximum vCPUs of every compute environment too low for the job.",
        "Raise maxvCpus of a compute environment of the queue, or ask for fewer vCPUs.",
    ),
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": (
        Cause.REFUSED_AS_TOO_LARGE,
        "Batch finds that no instance of the queue's compute environments is large enough.",
        "",  # it is the flow that has to ask for less
    ),
    "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED": (
        Cause.MISCONFIGURED,
        "EC2 does not start instances as the compute environment's launch template or types ask.",
        "Compare its launch template, image and instance types: all must go together.",
    ),
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS": (
        Cause.MISCONFIGURED,
        "Batch lacks a permission that it needs to start instances.",
        "Give its service role the policy AWSBatchServiceRole, or use the service-linked role.",
    ),
    "ACTION_REQUIRED": (
        Cause.ENVIRONMENT_INVALID,
        "Batch finds every compute environment of the queue invalid.",
        "Repair what their status reasons name.",
    ),
    "UNDETERMINED": (
        Cause.UNDETERMINED,
        "Batch says that the job blocks its queue and that it cannot tell why.",
        "",  # the list of things to check
    ),
}


def read_native(status_reason: str | None) -> NativeReason | None:
    """Return the reason that Batch gives for a job that blocks its queue, None if it gives none."""
    if not status_reason:
        return None
    code = _DASH.split(status_reason.strip(), maxsplit=1)[0].strip().rstrip(".")
    if not _CODE.fullmatch(code):
        return None
    if code in _NATIVE:
        return NativeReason(_NATIVE[code][0], code, *_NATIVE[code][1:])
    if code.startswith("CAPACITY"):
        return NativeReason(
            Cause.NO_CAPACITY_AT_AWS, code, _no_capacity(status_reason), _WAIT_OR_WIDEN
        )
    if code.startswith("MISCONFIGURATION"):
        sentence = f"Batch finds a misconfiguration: {code.partition(':')[2] or code}."
        return NativeReason(Cause.MISCONFIGURED, code, sentence, "Look the reason up with AWS.")
    return None


def _no_capacity(status_reason: str) -> str:
    found = _TYPE.search(status_reason)
    which = f"no {found[1].rstrip('.')}" if found else "no such instances"
    return f"AWS has {which} to give at present, in any compute environment of the queue."
