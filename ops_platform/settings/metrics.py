"""Which metrics are computed, how often, at which prices, and which CloudWatch is given."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ops_platform.domain.prices import DEFAULT_PRICES, OTHERS, Price
from ops_platform.settings.fields import AccountName, Allowed, Table


def _divides_an_hour(minutes: int) -> int:
    if 60 % minutes:
        raise PydanticCustomError("refresh_minutes", "does not divide an hour")
    return minutes


USDollars = Annotated[
    float,
    Field(ge=0, le=1000, allow_inf_nan=False),
    Allowed("US dollars from 0 to 1000, such as 0.0405"),
]
InstanceTypes = Annotated[
    str,
    Field(max_length=64, pattern=r"\A([a-z0-9.-]+\*?|\*)\Z"),
    Allowed('an instance type such as "r5.large", or its beginning and a *, such as "r5.*"'),
]
Namespace = Annotated[
    str,
    # CloudWatch keeps names that begin with AWS/ to itself.
    Field(pattern=r"\A(?!AWS/|:)[A-Za-z0-9._/#:-]{1,255}\Z"),
    Allowed('letters, digits and . _ / # : -, but not "AWS/" at its beginning'),
]


class PriceSettings(Table):
    """What an hour costs on the instance types that match."""

    instance_type: InstanceTypes
    vcpu_hour: USDollars
    gib_hour: USDollars


class CloudWatchSettings(Table):
    """What CloudWatch is given, and whose."""

    publish: bool = False
    # None for the first account.
    account: AccountName | None = None
    namespace: Namespace = "OpsPlatform"
    dimensions: Annotated[
        tuple[str, ...],
        # CloudWatch takes no more with one metric.
        Field(max_length=30, strict=False),
        Allowed('a list of at most 30 dimensions, such as ["account", "queue"]'),
    ] = ("account", "queue", "flow")
    dashboards: bool = True


class MetricSettings(Table):
    """How metrics are computed and kept."""

    first_day: Annotated[
        date,
        # The day on which Batch was announced; each hour since is a partition.
        Field(ge=date(2016, 12, 1)),
        Allowed("a date without quotes, such as 2026-01-01, not before 2016-12-01"),
    ] = date(2026, 1, 1)
    refresh_minutes: Annotated[
        int,
        Field(ge=1, le=60),
        AfterValidator(_divides_an_hour),
        Allowed("minutes that divide an hour, such as 5, 15 or 60"),
    ] = 15
    keep_events_days: Annotated[int, Field(ge=2, le=36_500)] = 400
    prices: Annotated[
        tuple[PriceSettings, ...], Field(strict=False), Allowed("[[metrics.prices]] tables")
    ] = ()
    cloudwatch: CloudWatchSettings = Field(default_factory=CloudWatchSettings)

    def price_table(self) -> tuple[Price, ...]:
        """Return the prices, among which one is for every instance type."""
        given = tuple(
            Price(each.instance_type, each.vcpu_hour, each.gib_hour) for each in self.prices
        )
        is_whole = any(price.instance_type == OTHERS for price in given)
        return given if is_whole else (*given, *DEFAULT_PRICES)
