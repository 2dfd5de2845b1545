"""Which incidents are told where, how often, and which are told as one."""

from typing import Annotated, Literal

from pydantic import Field

from ops_platform.settings.fields import AccountName, Allowed, Channel, Table

Pattern = Annotated[
    str, Field(min_length=1, max_length=200), Allowed("a name, in which * stands for anything")
]


class RouteSettings(Table):
    """Incidents that match all that is given go to these channels."""

    channels: Annotated[
        tuple[Channel, ...],
        Field(min_length=1, max_length=10, strict=False),
        Allowed("a list of channels, at least one"),
    ]
    account: AccountName | None = None
    project: Pattern | None = None
    flow: Pattern | None = None
    severity: Literal["critical", "warning", "info"] | None = None


class BurstSettings(Table):
    """From so many incidents on that have a flow or a cause in common, they are one message."""

    by: Literal["flow", "cause"]
    at_least: Annotated[int, Field(ge=2, le=10_000)]
    within_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300


class AlertSettings(Table):
    """How alerts are told."""

    repeat_hours: Annotated[int, Field(ge=0, le=720)] = 24
    update_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    fallback_channel: Channel | None = None
    platform_channel: Channel | None = None
    routes: Annotated[
        tuple[RouteSettings, ...], Field(strict=False), Allowed("[[alerts.routes]] tables")
    ] = ()
    bursts: Annotated[
        tuple[BurstSettings, ...], Field(strict=False), Allowed("[[alerts.bursts]] tables")
    ] = (
        BurstSettings(by="flow", at_least=5),
        BurstSettings(by="cause", at_least=20),
    )
