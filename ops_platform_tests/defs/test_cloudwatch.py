"""The assets of CloudWatch as Dagster runs them, against the emulator's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.cloudwatch import CRON, cloudwatch_assets, cloudwatch_schedules
from ops_platform.defs.cloudwatch_reports import dashboards_shown
from ops_platform.defs.resources import Accounts
from ops_platform.domain.dashboard_body import Publication, body
from ops_platform.domain.dashboards import DASHBOARDS
from ops_platform.domain.hours import HOUR, Hours, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.domain.prices import DEFAULT_PRICES
from ops_platform.embedded.aws.account import EmbeddedAccount, staging
from ops_platform.operations.publish_dashboards import Put
from ops_platform.operations.roll_up_metrics import roll_up_hours
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import settings_in
from ops_platform_tests.embedded.aws.accounts import free_port, running

_ACCOUNT = """
[accounts.staging]
aws_account_id = "111111111111"
region = "eu-west-1"
endpoint_url = "{url}"
event_queue_url = "{url}/111111111111/events"
alerts = "observe"

[metrics.cloudwatch]
publish = {publish}
dashboards = {dashboards}
"""
_DIMENSIONS = ("account", "queue", "flow")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAccount]:
    """Run an emulated account."""
    account = staging(free_port())
    with running(account, tmp_path_factory.mktemp("account")):
        yield account


def _settings(folder: Path, url: str, *, publish: bool = True, dashboards: bool = True) -> Settings:
    text = _ACCOUNT.format(
        url=url, publish=str(publish).lower(), dashboards=str(dashboards).lower()
    )
    return settings_in(folder, text)


def _run(settings: Settings, ledger: Ledger, asset: str) -> dict[str, Any]:
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            cloudwatch_assets(settings),
            selection=[asset],
            resources={"ledger": ledger, "accounts": Accounts(settings)},
            instance=instance,
            raise_on_error=False,
        )
    [event] = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    return {name: value.value for name, value in metadata.items()} | {"success": done.success}


def test_dashboards_are_read_back_as_they_are_declared(
    emulator: EmbeddedAccount, ledger: Ledger, tmp_path: Path
) -> None:
    """A second run changes nothing; one that somebody changed is put again; others stay."""
    settings = _settings(tmp_path, emulator.endpoint_url)
    store = Accounts(settings).cloudwatch("staging")
    store.put_dashboard("somebody-elses", json.dumps({"widgets": []}))
    of = Publication("eu-west-1", "OpsPlatform", _DIMENSIONS, publish=True)

    first = _run(settings, ledger, "cloudwatch_dashboards")
    assert first["changed"] == 5
    for each in DASHBOARDS:
        assert json.loads(store.dashboard(of.name_of(each)) or "") == json.loads(body(each, of))

    assert _run(settings, ledger, "cloudwatch_dashboards")["changed"] == 0
    store.put_dashboard(of.name_of(DASHBOARDS[0]), json.dumps({"widgets": []}))
    again = _run(settings, ledger, "cloudwatch_dashboards")
    assert again["changed"] == 1
    assert json.loads(store.dashboard("somebody-elses") or "") == {"widgets": []}


def test_metrics_are_published_and_shown_with_their_cost(
    emulator: EmbeddedAccount, ledger: Ledger, tmp_path: Path
) -> None:
    """The hours that are over; a second run has nothing to send."""
    settings = _settings(tmp_path, emulator.endpoint_url)
    now = ledger.now()
    hours = Hours(hour_of(now) - 5 * HOUR, hour_of(now) + HOUR)
    roll_up_hours(ledger, hours, prices=DEFAULT_PRICES, now=now)

    shown = _run(settings, ledger, "cloudwatch_metrics")
    assert shown["success"]
    assert shown["hours"] in {3, 4}
    assert shown["requests"] > 0
    assert shown["hours_changed_since"] == 0
    assert shown["cost"].startswith("At most $")

    again = _run(settings, ledger, "cloudwatch_metrics")
    assert (again["hours"], again["requests"], again["data"]) == (0, 0, 0)


def test_where_nothing_is_published_the_price_is_shown_and_nothing_is_sent(
    ledger: Ledger, tmp_path: Path
) -> None:
    """There is no CloudWatch at this address."""
    settings = _settings(tmp_path, "http://127.0.0.1:1", publish=False, dashboards=False)

    metrics = _run(settings, ledger, "cloudwatch_metrics")
    assert metrics["success"]
    assert "Nothing was sent" in metrics["summary"]
    assert metrics["usd_a_month"] >= 0

    dashboards = _run(settings, ledger, "cloudwatch_dashboards")
    assert dashboards["success"]
    assert "Switched off" in dashboards["summary"]


def test_what_cloudwatch_did_not_take_fails_the_run_and_is_still_shown(
    ledger: Ledger, tmp_path: Path
) -> None:
    """So that the requests which wait are seen."""
    settings = _settings(tmp_path, "http://127.0.0.1:1")
    now = ledger.now()
    hours = Hours(hour_of(now) - 5 * HOUR, hour_of(now))
    roll_up_hours(ledger, hours, [Noun.PLATFORM], prices=DEFAULT_PRICES, now=now)

    shown = _run(settings, ledger, "cloudwatch_metrics")

    assert not shown["success"]
    assert shown["requests"] == 0
    assert shown["hours"] > 0


def test_a_dashboard_is_one_click_away_and_none_is_where_there_is_no_console(
    tmp_path: Path,
) -> None:
    """An emulator has none."""
    emulated = _settings(tmp_path, "http://127.0.0.1:1").accounts[0]
    real = emulated.model_copy(update={"endpoint_url": None})
    put = Put("ops-platform-eu-west-1-flows", 9, changed=True)

    assert put.name not in dashboards_shown(emulated, [put])
    assert dashboards_shown(real, [put])[put.name].value == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#dashboards/dashboard/ops-platform-eu-west-1-flows"
    )


@pytest.mark.parametrize(
    ("publish", "dashboards", "status"),
    [
        (True, True, dg.DefaultScheduleStatus.RUNNING),
        (False, True, dg.DefaultScheduleStatus.RUNNING),
        (True, False, dg.DefaultScheduleStatus.RUNNING),
        (False, False, dg.DefaultScheduleStatus.STOPPED),
    ],
)
def test_each_hour_what_is_new_is_given_unless_nothing_is(
    tmp_path: Path, *, publish: bool, dashboards: bool, status: dg.DefaultScheduleStatus
) -> None:
    """A run may cost a container."""
    settings = _settings(tmp_path, "http://127.0.0.1:1", publish=publish, dashboards=dashboards)

    [schedule] = cloudwatch_schedules(settings)

    assert schedule.default_status is status
    assert schedule.cron_schedule == CRON
