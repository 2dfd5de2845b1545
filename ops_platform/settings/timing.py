"""How long the platform waits, and how much time it gives itself."""

from typing import Annotated

from pydantic import Field

from ops_platform.settings.fields import Table

# Dagster gives a sensor 60 seconds and cannot stop it, so a budget stays well below.
Budget = Annotated[int, Field(ge=1, le=50)]
Interval = Annotated[int, Field(ge=1, le=3600)]
# Longer than a sensor may take, so that nobody else sends what a living tick still holds.
Hold = Annotated[int, Field(ge=60, le=43200)]


class TimingSettings(Table):
    """Seconds, minutes and hours; every duration of the platform that a team may want to turn."""

    settle_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    alert_max_age_hours: Annotated[int, Field(ge=1, le=336)] = 24
    ingest_interval_seconds: Interval = 10
    ingest_budget_seconds: Budget = 40
    delivery_interval_seconds: Interval = 10
    delivery_budget_seconds: Budget = 30
    delivery_lease_seconds: Hold = 120
    reconcile_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    schedule_grace_minutes: Annotated[int, Field(ge=1, le=720)] = 15
    stale_jobs_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    stalled_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
