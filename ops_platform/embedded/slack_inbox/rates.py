"""How often Slack lets a method be called."""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ops_platform.embedded.slack_inbox.errors import RateLimitedError


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run, so many at once."""

    per_second: float
    burst: int


def per_minute(calls: int) -> Rate:
    """Return the rate of a tier: that many calls a minute, and all of them at once."""
    return Rate(per_second=calls / 60, burst=calls)


TIER_2: Final = per_minute(20)
TIER_3: Final = per_minute(50)
TIER_4: Final = per_minute(100)
SPECIAL: Final = per_minute(600)

TIERS: Final[Mapping[str, Rate]] = {
    "auth.test": SPECIAL,
    "chat.getPermalink": SPECIAL,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.list": TIER_2,
    "conversations.replies": TIER_3,
    "users.info": TIER_4,
    "users.lookupByEmail": TIER_3,
}


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits of a workspace: posts by channel and together, all else by method."""

    post: Rate = field(default_factory=lambda: Rate(per_second=1, burst=5))
    posts_together: Rate = field(default_factory=lambda: per_minute(300))
    methods: Mapping[str, Rate] = field(default_factory=lambda: TIERS)


class Limiter:
    """Token buckets, one for each thing that is limited."""

    def __init__(self, rates: Rates, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take_call(self, method: str) -> None:
        """Count a call of a method, or refuse it."""
        if rate := self._rates.methods.get(method):
            self._take(method, rate)

    def take_post(self, channel: str) -> None:
        """Count a post into a channel, or refuse it."""
        self._take("posts together", self._rates.posts_together)
        self._take(f"posts into {channel}", self._rates.post)

    def _take(self, name: str, rate: Rate) -> None:
        with self._lock:
            now = self._clock()
            level, since = self._buckets.get(name, (float(rate.burst), now))
            level = min(float(rate.burst), level + (now - since) * rate.per_second)
            if level < 1:
                self._buckets[name] = (level, now)
                raise RateLimitedError(max(1, math.ceil((1 - level) / rate.per_second)))
            self._buckets[name] = (level - 1, now)
