"""When a job that waits is stale, and which jobs are left alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from ops_platform.settings.alerts import Pattern
from ops_platform.settings.fields import AccountName, Allowed, Table

Minutes = Annotated[int, Field(ge=1, le=43_200)]
Pair = Annotated[
    str,
    Field(pattern=r"\A[^=\s][^=]{0,127}=.{1,256}\Z"),
    Allowed('a key and a value such as "team=search", in whose value * stands for anything'),
]


class StaleRule(Table):
    """What differs for the jobs that match all that is given."""

    account: AccountName | None = None
    queue: Pattern | None = None
    flow: Pattern | None = None
    owner: Pattern | None = None
    gpu: bool | None = None
    unfit_minutes: Minutes | None = None
    stuck_minutes: Minutes | None = None
    by_age: bool | None = None
    foreign_jobs: bool | None = None
    end: Literal["job", "run"] | None = None
    warn_minutes: Annotated[int, Field(ge=0, le=43_200)] | None = None


class ExemptionSettings(Table):
    """Jobs that are left alone until a day, and why."""

    reason: Annotated[
        str,
        Field(min_length=1, max_length=500),
        Allowed("a sentence of at most 500 characters"),
    ]
    until: Annotated[date, Allowed("a date without quotes, such as 2026-12-31")]
    account: AccountName | None = None
    flow: Pattern | None = None
    tag: Pair | None = None
    parameter: Pair | None = None

    @property
    def ends_at(self) -> datetime:
        """The end of its last day, in UTC."""
        day = datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC)
        return day + timedelta(days=1)


class StaleJobSettings(Table):
    """How stale jobs are found, and what becomes of them."""

    unfit_minutes: Minutes = 15
    stuck_minutes: Minutes = 120
    by_age: bool = False
    foreign_jobs: bool = False
    end: Literal["job", "run"] = "job"
    warn_minutes: Annotated[int, Field(ge=0, le=43_200)] = 0
    most_at_once: Annotated[int, Field(ge=1, le=1000)] = 50
    breaker_runs: Annotated[int, Field(ge=2, le=10_000)] = 10
    rules: Annotated[
        tuple[StaleRule, ...], Field(strict=False), Allowed("[[stale_jobs.rules]] tables")
    ] = ()
    exemptions: Annotated[
        tuple[ExemptionSettings, ...],
        Field(strict=False),
        Allowed("[[stale_jobs.exemptions]] tables"),
    ] = ()
