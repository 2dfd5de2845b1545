"""What the platform works on, as assets: the way of an event from its queue to an alert.

Dagster does not make them; sensors and jobs report what they observe. Those of an account are a
group, so that the asset graph shows each account's way by itself.
"""

from collections.abc import Iterator

import dagster as dg

from ops_platform.domain.health import Check
from ops_platform.settings.model import Settings

PLATFORM = "platform"
CLEANUP = "stale_job_cleanup"
# The asset of each check, without its account.
_CHECKED = {
    Check.INGEST: "events",
    Check.RECONCILIATION: "executions",
    Check.DELIVERY: "alerts",
    Check.CLEANUP: CLEANUP,
    Check.PARSING: PLATFORM,
    Check.AUTOMATIONS: PLATFORM,
}
_STORIES = {
    "events": """What happens on Batch, Step Functions and ECS in {account}. EventBridge forwards it
into a queue, and the sensor {ingest} takes it into the ledger.""",
    "executions": """The runs of {account} on Step Functions: what their events tell, and what Step
Functions tells when it is asked for what the events missed.""",
    "flows": """Each flow of {account} is an asset below this one, flows/{account}/PROJECT/FLOW,
once one of its runs has ended.""",
    "alerts": """What Slack is told of failed runs of {account}. The sensor deliver_alerts sends it,
and shows here each message that was sent, or why it was not.""",
}
_AFTER = {"executions": "events", "flows": "executions", "alerts": "executions"}


def asset_of(check: Check, account: str | None) -> dg.AssetKey:
    """Return the asset that a check belongs to."""
    name = _CHECKED[check]
    if account is not None and check is Check.CLEANUP:
        return cleanup_asset(account)
    return dg.AssetKey([name] if account is None else [name, account])


def cleanup_asset(account: str) -> dg.AssetKey:
    """Return the asset that is made each time an account is searched for stale jobs."""
    return dg.AssetKey([account, CLEANUP])


def watched_assets(settings: Settings) -> list[dg.AssetSpec]:
    """Return the assets of each account, and the platform itself."""
    own = [spec for account in settings.accounts for spec in _of_account(account.name)]
    platform = dg.AssetSpec(
        [PLATFORM],
        group_name=PLATFORM,
        description="The platform itself: its sensors and schedules, and what it could not read.",
    )
    return [*own, platform]


def _of_account(account: str) -> Iterator[dg.AssetSpec]:
    flat = account.replace("-", "_")
    for name, story in _STORIES.items():
        before = _AFTER.get(name)
        told = story.format(account=account, ingest=f"ingest_events_{flat}")
        yield dg.AssetSpec(
            [name, account],
            deps=[dg.AssetKey([before, account])] if before else [],
            group_name=flat,
            description=told.replace("\n", " "),
        )
