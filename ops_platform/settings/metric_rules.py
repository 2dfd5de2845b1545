"""What must hold for the settings of metrics."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from ops_platform.domain.published_metrics import CHOICES, WHAT
from ops_platform.settings.problems import Problem
from ops_platform.settings.route_rules import unknown_account

_DIMENSIONS = sorted({*CHOICES, *WHAT})


def broken_metrics(given: dict[str, Any], accounts: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each price that is there twice, and each unknown account or dimension."""
    yield from _repeated_prices(given.get("prices"))
    cloudwatch = given.get("cloudwatch")
    if isinstance(cloudwatch, dict):
        key = "metrics.cloudwatch"
        yield from unknown_account(f"{key}.account", cloudwatch.get("account"), accounts)
        yield from _wrong_dimensions(f"{key}.dimensions", cloudwatch.get("dimensions"))


def _repeated_prices(prices: object) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, price in enumerate(prices if isinstance(prices, list) else []):
        pattern = price.get("instance_type") if isinstance(price, dict) else None
        if not isinstance(pattern, str):
            continue
        if pattern in seen:
            sentence = f'"{pattern}" has a price already in metrics.prices[{seen[pattern]}]'
            yield Problem(f"metrics.prices[{index}].instance_type", f"{sentence}; keep one")
        seen.setdefault(pattern, index)


def _wrong_dimensions(key: str, dimensions: object) -> Iterator[Problem]:
    if not isinstance(dimensions, list):
        return
    names = Counter(name for name in dimensions if isinstance(name, str))
    for name, times in names.items():
        if name not in _DIMENSIONS:
            near = get_close_matches(name, _DIMENSIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(_DIMENSIONS)}"
            yield Problem(key, f'no dashboard shows anything by "{name}"; {hint}')
        elif times > 1:
            yield Problem(key, f'"{name}" is there twice; keep one')
