"""The settings in the terms of the domain."""

from collections.abc import Mapping
from datetime import timedelta

from ops_platform.domain.alerts import AlertPolicy
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.identity import Links
from ops_platform.domain.ports import Notifier
from ops_platform.domain.routes import Route, Routing, Severity, Stage
from ops_platform.operations.compose_alert import Composer
from ops_platform.operations.find_owner import KnownUsers, OwnerFinder
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


def routing(settings: Settings) -> Routing:
    """Return where incidents are told."""
    return Routing(
        routes=tuple(
            Route(
                channels=route.channels,
                account=route.account,
                project=route.project,
                flow=route.flow,
                severity=Severity(route.severity) if route.severity else None,
            )
            for route in settings.alerts.routes
        ),
        channels={account.name: settings.channel(account.name) for account in settings.accounts},
        stages={account.name: Stage(account.stage) for account in settings.accounts},
        platform=settings.alerts.platform_channel,
    )


def composer(
    settings: Settings, notifier: Notifier | None, known: KnownUsers | None = None
) -> Composer:
    """Return what writes messages; without a notifier, nobody is looked up by e-mail.

    ``known`` remembers, from one composer to the next, whom Slack knows.
    """
    links = {account.name: account_links(settings, account.name) for account in settings.accounts}
    stages = {account.name: Stage(account.stage) for account in settings.accounts}
    return Composer(links, OwnerFinder(settings.slack, notifier, known).mention, stages)


def alert_policy(settings: Settings, *, replayed: bool = False) -> AlertPolicy:
    """Return when and where incidents become messages."""
    production = [each.name for each in settings.accounts if each.stage == "production"]
    repeat = timedelta(hours=settings.alerts.repeat_hours)
    return AlertPolicy(
        settle=timedelta(seconds=settings.timing.settle_seconds),
        max_age=timedelta(hours=settings.timing.alert_max_age_hours),
        routing=routing(settings),
        update=timedelta(seconds=settings.alerts.update_seconds),
        repeat=dict.fromkeys(production, repeat) if repeat else {},
        bursts=tuple(
            BurstRule(By(rule.by), rule.at_least, timedelta(seconds=rule.within_seconds))
            for rule in settings.alerts.bursts
        ),
        known_accounts=frozenset(account.name for account in settings.accounts),
        observed_accounts=frozenset(
            account.name for account in settings.accounts if account.alerts == "observe"
        ),
        quiet_about_interactive=frozenset(
            account.name for account in settings.accounts if not account.tells_interactive
        ),
        replayed=replayed,
    )
