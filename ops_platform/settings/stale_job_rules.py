"""What must hold for the rules and exemptions of stale jobs."""

from collections.abc import Iterator, Sequence
from typing import Any

from ops_platform.settings.problems import Problem
from ops_platform.settings.route_rules import unknown_account

_FOR_RULES = ("account", "queue", "flow", "owner", "gpu")
_FOR_EXEMPTIONS = ("account", "flow", "tag", "parameter")


def broken_stale_jobs(given: dict[str, Any], accounts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each rule or exemption that is for every job, or changes nothing."""
    for key, rule in _tables(given, "rules"):
        yield from unknown_account(f"{key}.account", rule.get("account"), accounts)
        if not any(name in rule for name in _FOR_RULES):
            sentence = f"is for every job; give one of {', '.join(_FOR_RULES)}"
            yield Problem(key, f"{sentence}, or set it in [stale_jobs]")
        if all(name in _FOR_RULES for name in rule):
            yield Problem(key, "changes nothing; give what differs, such as stuck_minutes")
    for key, exemption in _tables(given, "exemptions"):
        yield from unknown_account(f"{key}.account", exemption.get("account"), accounts)
        if not any(name in exemption for name in _FOR_EXEMPTIONS):
            sentence = f"spares every job; give one of {', '.join(_FOR_EXEMPTIONS)}"
            yield Problem(key, f'{sentence}, or set stale_jobs = "observe" for an account')


def _tables(given: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = given.get(name)
    for index, table in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(table, dict):
            yield f"stale_jobs.{name}[{index}]", table
