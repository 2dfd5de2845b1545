"""What must hold between settings.

Each rule reads the tables before they are typed, so that it can speak up beside the errors
that keep them from being built. What is not even of the right shape is left to those.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ops_platform.settings.explain import written
from ops_platform.settings.metric_rules import broken_metrics
from ops_platform.settings.problems import Problem
from ops_platform.settings.promotion_rules import broken_promotion
from ops_platform.settings.route_rules import broken_routes, routed_accounts
from ops_platform.settings.stale_job_rules import broken_stale_jobs

Accounts = Sequence[tuple[int, dict[str, Any]]]
# The account's place in the file, the key, and what is wrong with it.
Finding = tuple[int, str, str]

_WAYS_IN = ("role_arn", "profile", "endpoint_url")


def broken_rules(tables: dict[str, Any], given: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each rule that the tables break; ``given`` has the keys as written."""
    slack, alerts = _table(tables.get("slack")), _table(tables.get("alerts"))
    accounts = _accounts(tables)
    for index, key, sentence in (
        *_repeated(accounts, "name"),
        *_repeated(accounts, "aws_account_id"),
        *_alike(accounts),
        *_several_ways_in(accounts),
        *_without_queue(accounts),
        *_without_channel(accounts, slack.get("default_channel"), routed_accounts(alerts)),
    ):
        yield Problem(written(("accounts", index, key), given), sentence)
    yield from _named_twice(given)
    names = [str(account.get("name")) for _, account in accounts]
    yield from broken_routes(alerts, names)
    yield from broken_stale_jobs(_table(tables.get("stale_jobs")), names)
    yield from broken_metrics(_table(tables.get("metrics")), names)
    yield from broken_promotion(_table(tables.get("promotion")), names)
    if "token" in slack:
        sentence = "a token does not belong in a file; token_env names the variable that holds it"
        yield Problem("slack.token", sentence)


def _named_twice(given: dict[str, Any]) -> Iterator[Problem]:
    for name, account in _table(given.get("accounts")).items():
        if "name" in _table(account):
            yield Problem(f"accounts.{name}.name", "the table has the name already; leave it out")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _accounts(tables: dict[str, Any]) -> Accounts:
    listed = tables.get("accounts")
    return [
        (index, account)
        for index, account in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(account, dict)
    ]


def _repeated(accounts: Accounts, key: str) -> Iterator[Finding]:
    values = [account[key] for _, account in accounts if isinstance(account.get(key), str)]
    repeated = {value for value, times in Counter(values).items() if times > 1}
    for index, account in accounts:
        if account.get(key) in repeated:
            yield index, key, f'"{account[key]}" stands for several accounts; give each its own'


def _alike(accounts: Accounts) -> Iterator[Finding]:
    """Dagster knows no hyphen: sensors of accounts ``a-b`` and ``a_b`` would have one name."""
    names = [str(account.get("name")) for _, account in accounts]
    for index, account in accounts:
        name = str(account.get("name"))
        other = next((n for n in names if n != name and _flat(n) == _flat(name)), None)
        if other is not None:
            yield index, "name", f'"{name}" differs from "{other}" only by - and _; choose another'


def _flat(name: str) -> str:
    return name.replace("-", "_")


def _several_ways_in(accounts: Accounts) -> Iterator[Finding]:
    for index, account in accounts:
        ways = [way for way in _WAYS_IN if way in account]
        for way in ways[1:]:
            yield index, way, f"{ways[0]} is set too; give one of {', '.join(_WAYS_IN)}"
        if "external_id" in account and "role_arn" not in account:
            yield index, "external_id", "it goes with a role; give role_arn too"


def _without_queue(accounts: Accounts) -> Iterator[Finding]:
    for index, account in accounts:
        if "event_queue_url" not in account:
            yield index, "event_queue_url", "missing; give the address of the SQS queue of events"


def _without_channel(
    accounts: Accounts, default_channel: object, routed: Collection[str]
) -> Iterator[Finding]:
    for index, account in accounts:
        sends = account.get("alerts", "send") == "send" and account.get("name") not in routed
        if sends and not default_channel and "slack_channel" not in account:
            sentence = "missing; give a channel here or in slack.default_channel"
            yield index, "slack_channel", f'{sentence}, or set alerts = "observe"'
