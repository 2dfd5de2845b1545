"""What Dagster shows of a look for flows that should have started."""

import dagster as dg

from ops_platform.operations.find_missed_schedules import MissedSchedules


def missed_observation(found: MissedSchedules) -> dg.AssetObservation:
    """Return what a look at an account's schedules came to."""
    opened, resolved = len(found.opened), len(found.resolved)
    metadata: dict[str, dg.MetadataValue] = {
        "machines": dg.MetadataValue.int(found.machines),
        "scheduled": dg.MetadataValue.int(found.scheduled),
        "missed": dg.MetadataValue.int(opened),
        "resolved": dg.MetadataValue.int(resolved),
    }
    if found.unreadable:
        metadata["unreadable"] = dg.MetadataValue.text("\n".join(found.unreadable))
    summary = (
        f"Looked at {found.machines} state machines, {found.scheduled} of them with a schedule:"
        f" {opened} newly missed, {resolved} made up for."
    )
    return dg.AssetObservation(["schedules", found.account], description=summary, metadata=metadata)
