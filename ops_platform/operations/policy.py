"""The settings in the terms of the domain."""

from collections.abc import Mapping
from datetime import timedelta

from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.identity import Links
from ops_platform.operations.deliver_alerts import Address
from ops_platform.settings.model import Settings


def account_names(settings: Settings) -> Mapping[str, str]:
    """Return the accounts' names by AWS account id."""
    return {account.aws_account_id: account.name for account in settings.accounts}


def queue_accounts(settings: Settings, account: str) -> Mapping[str, str]:
    """Return the names of the accounts that share an account's queue, by AWS account id.

    Whoever can write into one account's queue must not speak for another.
    """
    url = settings.account(account).event_queue_url
    return {
        each.aws_account_id: each.name
        for each in settings.accounts
        if each.name == account or each.event_queue_url == url
    }


def account_links(settings: Settings, account: str) -> Links:
    """Return the addresses of an account's consoles; of a foreign account's, those of AWS."""
    dagster = settings.dagster.url
    for known in settings.accounts:
        if known.name == account:
            return Links(known.region, metaflow_ui=known.metaflow.ui_url, dagster=dagster)
    return Links(settings.accounts[0].region, dagster=dagster)


def addresses(settings: Settings) -> Mapping[str, Address]:
    """Return where the alerts of each account go."""
    return {
        account.name: Address(
            channel=settings.channel(account.name), links=account_links(settings, account.name)
        )
        for account in settings.accounts
    }


def alert_policy(settings: Settings, *, replayed: bool = False) -> AlertPolicy:
    """Return when incidents become messages."""
    return AlertPolicy(
        settle=timedelta(seconds=settings.timing.settle_seconds),
        max_age=timedelta(hours=settings.timing.alert_max_age_hours),
        known_accounts=frozenset(account.name for account in settings.accounts),
        observed_accounts=frozenset(
            account.name for account in settings.accounts if account.alerts == "observe"
        ),
        replayed=replayed,
    )
