"""What must hold for the settings of promotion."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ops_platform.settings.problems import Problem
from ops_platform.settings.route_rules import unknown_account

_NAMED = ("repositories", "queues")


def broken_promotion(given: dict[str, Any], accounts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each account that there is not, and each name that is there twice."""
    for key in ("staging", "production"):
        yield from unknown_account(f"promotion.{key}", given.get(key), accounts)
    sandbox = given.get("sandbox")
    if isinstance(sandbox, dict):
        yield from unknown_account("promotion.sandbox.account", sandbox.get("account"), accounts)
    if "external_id" in given and "role_arn" not in given:
        yield Problem("promotion.external_id", "it goes with a role; give role_arn too")
    for table in _NAMED:
        listed = given.get(table)
        names = [
            each.get("name")
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, dict)
        ]
        for name, times in Counter(name for name in names if isinstance(name, str)).items():
            if times > 1:
                yield Problem(f"promotion.{table}", f'"{name}" is there {times} times; keep one')
