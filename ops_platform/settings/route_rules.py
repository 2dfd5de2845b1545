"""What must hold for the routes of alerts, and what makes one of them useless."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from ops_platform.settings.alerts import RouteSettings
from ops_platform.settings.problems import Problem

_NARROWING = ("account", "project", "flow", "severity")


def broken_routes(alerts: dict[str, Any], accounts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each route that takes everything, or names an account there is not."""
    for index, route in _routes(alerts):
        key = f"alerts.routes[{index}]"
        if not any(name in route for name in _NARROWING):
            yield Problem(key, f"takes every alert; give one of {', '.join(_NARROWING)}")
        yield from unknown_account(f"{key}.account", route.get("account"), accounts)


def unknown_account(key: str, name: object, accounts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem if a key names an account that there is not."""
    if isinstance(name, str) and name not in accounts:
        near = get_close_matches(name, accounts, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(accounts)}"
        yield Problem(key, f'there is no account "{name}"; {hint}')


def routed_accounts(alerts: dict[str, Any]) -> set[str]:
    """Return the accounts of which a route takes every alert."""
    return {
        str(route["account"])
        for _, route in _routes(alerts)
        if [name for name in _NARROWING if name in route] == ["account"]
    }


def unreachable(routes: Sequence[RouteSettings]) -> Iterator[tuple[int, int]]:
    """Yield the place of each route to which nothing comes, and of the one that takes it all."""
    for index, route in enumerate(routes):
        before = (place for place in range(index) if _takes_all_of(routes[place], route))
        if (place := next(before, None)) is not None:
            yield index, place


def _takes_all_of(earlier: RouteSettings, later: RouteSettings) -> bool:
    pairs = ((getattr(earlier, name), getattr(later, name)) for name in _NARROWING)
    return all(pattern in {None, "*", narrower} for pattern, narrower in pairs)


def _routes(alerts: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    given = alerts.get("routes")
    for index, route in enumerate(given if isinstance(given, list) else []):
        if isinstance(route, dict):
            yield index, route
