"""Metrics: what is read, refused and noted, and the table of prices."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ops_platform.clock import now
from ops_platform.domain.prices import DEFAULT_PRICES, Price
from ops_platform.embedded.postgres_folder import PostgresFolder
from ops_platform.settings.load import load
from ops_platform.settings.notes import notes
from ops_platform_tests.settings.files import ACCOUNT, load_file, problems_of

PRICE = "[[metrics.prices]]\nvcpu_hour = 1\ngib_hour = 0.5\n"
OTHER_ACCOUNT = ACCOUNT.replace("staging", "production").replace("1111", "4444")


def test_without_prices_all_is_worth_what_fargate_costs(tmp_path: Path) -> None:
    """An estimate is there without any setting."""
    assert load_file(tmp_path, ACCOUNT).metrics.price_table() == DEFAULT_PRICES


def test_prices_of_some_types_leave_the_default_for_the_others(tmp_path: Path) -> None:
    """No attempt is without a price."""
    metrics = load_file(tmp_path, f'{ACCOUNT}{PRICE}instance_type = "r5.*"\n').metrics

    assert metrics.price_table() == (Price("r5.*", 1, 0.5), *DEFAULT_PRICES)


def test_a_price_for_all_others_replaces_the_default(tmp_path: Path) -> None:
    """There is one alone."""
    metrics = load_file(tmp_path, f'{ACCOUNT}{PRICE}instance_type = "*"\n').metrics

    assert metrics.price_table() == (Price("*", 1, 0.5),)


@pytest.mark.parametrize(
    ("text", "name"), [("", "staging"), ('[metrics.cloudwatch]\naccount = "production"', None)]
)
def test_the_first_account_keeps_the_dashboards_unless_one_is_named(
    tmp_path: Path, text: str, name: str | None
) -> None:
    """In whose CloudWatch they are."""
    settings = load_file(tmp_path, f"{ACCOUNT}{OTHER_ACCOUNT}{text}")

    assert settings.metrics_account.name == (name or "production")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "[metrics]\nrefresh_minutes = 7",
            "metrics.refresh_minutes: 7 is not allowed; give minutes that divide an hour, such as"
            " 5, 15 or 60",
            id="minutes that do not divide an hour",
        ),
        pytest.param(
            "[metrics]\nkeep_events_days = 1",
            "metrics.keep_events_days: 1 is not allowed; give a whole number from 2 to 36500",
            id="the day that is running",
        ),
        pytest.param(
            "[metrics]\nfirst_day = 1970-01-01",
            "metrics.first_day: 1970-01-01 is not allowed; give a date without quotes, such as"
            " 2026-01-01, not before 2016-12-01",
            id="half a million partitions",
        ),
        pytest.param(
            '[[metrics.prices]]\ninstance_type = "g5.*"\nvcpu_hour = nan\ngib_hour = 0',
            "metrics.prices[0].vcpu_hour: nan is not allowed; give US dollars from 0 to 1000, such"
            " as 0.0405",
            id="a price that is no number",
        ),
        pytest.param(
            f'{PRICE}instance_type = "*.large"',
            'metrics.prices[0].instance_type: "*.large" is not allowed; give an instance type such'
            ' as "r5.large", or its beginning and a *, such as "r5.*"',
            id="a star that is not at the end",
        ),
        pytest.param(
            f'{PRICE}instance_type = "g5.*"\n{PRICE}instance_type = "g5.*"',
            'metrics.prices[1].instance_type: "g5.*" has a price already in metrics.prices[0];'
            " keep one",
            id="two prices for one type",
        ),
        pytest.param(
            '[metrics.cloudwatch]\naccount = "stagin"',
            'metrics.cloudwatch.account: there is no account "stagin"; did you mean staging?',
            id="slip in the account",
        ),
        pytest.param(
            '[metrics.cloudwatch]\ndimensions = ["ower"]',
            'metrics.cloudwatch.dimensions: no dashboard shows anything by "ower";'
            " did you mean owner?",
            id="slip in a dimension",
        ),
        pytest.param(
            '[metrics.cloudwatch]\ndimensions = ["flow", "flow"]',
            'metrics.cloudwatch.dimensions: "flow" is there twice; keep one',
            id="a dimension twice",
        ),
        pytest.param(
            '[metrics.cloudwatch]\nnamespace = "AWS/Batch"',
            'metrics.cloudwatch.namespace: "AWS/Batch" is not allowed; give letters, digits and . _'
            ' / # : -, but not "AWS/" at its beginning',
            id="a namespace of AWS",
        ),
        pytest.param(
            "[metrics]\nprice = 1",
            "metrics.price: unknown key; did you mean prices?",
            id="an unknown key",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """With the way out."""
    assert problem in problems_of(tmp_path, f"{ACCOUNT}{text}")


def test_a_first_day_to_come_is_noted(tmp_path: Path) -> None:
    """Nothing would be computed until then."""
    settings = load_file(tmp_path, f"{ACCOUNT}[metrics]\nfirst_day = 2026-06-01\n")

    assert "No metrics before 2026-06-01: metrics.first_day is to come." in notes(
        settings, {}, now=datetime(2026, 5, 31, tzinfo=UTC)
    )


def test_the_embedded_edition_begins_a_month_before_it_was_made(tmp_path: Path) -> None:
    """The same day at every look, however often it is started again."""
    made = PostgresFolder.of_state(tmp_path / ".ops-platform").data / "PG_VERSION"
    made.parent.mkdir(parents=True)
    made.touch()
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
    os.utime(made, (moment, moment))

    assert load({}, cwd=tmp_path).metrics.first_day == date(2026, 2, 1)


def test_an_embedded_edition_that_was_never_up_begins_a_month_ago(tmp_path: Path) -> None:
    """There is no database whose age it could take."""
    first_day = load({}, cwd=tmp_path).metrics.first_day

    assert timedelta(days=31) <= now().date() - first_day <= timedelta(days=32)
