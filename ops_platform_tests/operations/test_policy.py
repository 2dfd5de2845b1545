"""The settings in the terms of the domain."""

from datetime import timedelta
from pathlib import Path

import pytest

from ops_platform.domain.alerts import Send, Withhold
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Kind
from ops_platform.operations.policy import (
    account_links,
    account_names,
    alert_policy,
    composer,
    queue_accounts,
    routing,
)
from ops_platform.settings.load import load
from ops_platform.settings.model import Settings
from ops_platform_tests.build import NOON, after, an_incident

SETTINGS = """
slack.default_channel = "#alerts"

[timing]
settle_seconds = 45
alert_max_age_hours = 2

[accounts.staging]
aws_account_id = "111111111111"
region = "eu-central-1"
event_queue_url = "https://sqs.eu-central-1.amazonaws.com/111111111111/events"
alerts = "observe"

[accounts.production]
aws_account_id = "222222222222"
region = "eu-west-1"
event_queue_url = "https://sqs.eu-west-1.amazonaws.com/222222222222/events"
alerts = "send"
slack_channel = "#alerts-production"
metaflow.ui_url = "https://metaflow.example.com"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of an account that is only observed and one that is alerted."""
    (tmp_path / "ops_platform.toml").write_text(SETTINGS)
    return load({}, cwd=tmp_path)


def test_accounts_are_known_by_their_aws_ids(settings: Settings) -> None:
    """Events carry the id, people read the name."""
    assert account_names(settings) == {"111111111111": "staging", "222222222222": "production"}


def test_each_account_has_its_channel_or_the_default_and_its_links(settings: Settings) -> None:
    """So an account is added in one place."""
    channels = routing(settings).channels
    assert channels == {"staging": "#alerts", "production": "#alerts-production"}
    links = composer(settings, None).links
    assert links["production"].metaflow_ui == "https://metaflow.example.com"
    assert (links["staging"].region, links["staging"].metaflow_ui) == ("eu-central-1", None)


def test_trouble_of_the_platform_has_a_channel_of_its_own_if_one_is_set(
    settings: Settings, tmp_path: Path
) -> None:
    """What concerns a flow goes to its account's all the same, and a route comes first."""
    queue, run = an_incident(kind=Kind.QUEUE_BLOCKED), an_incident()
    path = tmp_path / "ops_platform.toml"
    path.write_text(f'{SETTINGS}\n[alerts]\nplatform_channel = "#platform"\n')
    with_channel = routing(load({}, cwd=tmp_path))
    route = '[[alerts.routes]]\nchannels = ["#oncall"]\nseverity = "critical"\n'
    path.write_text(f"{path.read_text()}{route}")
    with_route = routing(load({}, cwd=tmp_path))

    for kind in (Kind.QUEUE_BLOCKED, Kind.PLATFORM_STALLED):
        assert with_channel.channels_of(an_incident(kind=kind)) == ("#platform",)
    assert with_channel.channels_of(run) == ("#alerts-production",)
    assert routing(settings).channels_of(queue) == ("#alerts-production",)
    assert with_route.channels_of(queue) == ("#oncall",)


def test_a_foreign_account_still_has_links_to_aws(settings: Settings) -> None:
    """Its events are kept under its id; it has no Metaflow UI that we know."""
    assert account_links(settings, "333333333333") == Links("eu-central-1", None)


@pytest.mark.parametrize(
    ("account", "late", "replayed", "verdict"),
    [
        ("production", 10, False, Send(due_at=after(55))),
        ("production", 7200, False, Send(due_at=after(7245))),
        ("production", 7201, False, Withhold("ended too long ago")),
        ("staging", 10, False, Withhold("account is observed only")),
        ("production", 10, True, Withhold("replayed")),
        ("333333333333", 10, False, Withhold("account is not in the settings")),
    ],
)
def test_an_incident_is_told_after_the_settle_time_or_not_at_all(
    settings: Settings,
    *,
    account: str,
    late: int,
    replayed: bool,
    verdict: Send | Withhold,
) -> None:
    """Settle time, greatest age and observed accounts are those of the settings."""
    policy = alert_policy(settings, replayed=replayed)
    assert policy.settle == timedelta(seconds=45)
    incident = an_incident(account=account, opened_at=NOON)
    assert policy.decide(incident, after(late)) == verdict


def test_a_queue_speaks_for_the_accounts_that_share_it(tmp_path: Path) -> None:
    """Whoever can write into the queue of staging cannot forge what production does."""
    shared = SETTINGS.replace("eu-west-1.amazonaws.com/222222222222", "x.example/1").replace(
        "eu-central-1.amazonaws.com/111111111111", "x.example/1"
    )
    both = {"111111111111": "staging", "222222222222": "production"}
    for text, expected in ((SETTINGS, {"111111111111": "staging"}), (shared, both)):
        (tmp_path / "ops_platform.toml").write_text(text)

        assert queue_accounts(load({}, cwd=tmp_path), "staging") == expected
