"""Calls of AWS that throttling slows and does not fail, each paced and counted."""

import random
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.step_functions_pace import Pacer

BUSY = frozenset(
    {
        "500", "502", "503", "504", "InternalError", "InternalFailure", "RequestLimitExceeded",
        "RequestThrottled", "RequestThrottledException", "ServerException", "ServiceUnavailable",
        "ServiceUnavailableException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException", "Unavailable",
    }
)  # fmt: skip
"""AWS's names for not now: others use up what the account may ask, or AWS has trouble itself."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_HINTS = dict.fromkeys(
    BUSY,
    "AWS is busy, or others use up what it allows this account to ask; the next time goes on where"
    " this one stopped.",
)


class AwsBusyError(AwsError):
    """AWS has answered nothing else than not now, for as long as we were ready to wait.

    Nothing is wrong: whoever asks again later goes on where this stopped.
    """


class PatientCaller:
    """Calls AWS, no faster than the pace allows, and again for as long as it says not now.

    Args:
        patience: How many seconds of pauses a call may take.
        sleep: Waits between the attempts.
        pacer: Waits before them.
    """

    def __init__(
        self,
        *,
        patience: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        pacer: Pacer | None = None,
    ) -> None:
        self.calls: Counter[str] = Counter()
        """The requests made, by AWS's name of the action; those that were refused included."""
        self._patience = patience
        self._sleep = sleep
        self._pacer = pacer or Pacer(sleep=sleep)

    def call(
        self,
        action: str,
        doing: str,
        request: Callable[..., Mapping[str, Any]],
        **arguments: object,
    ) -> Mapping[str, Any]:
        """Return AWS's answer; ``doing`` says what is tried, to follow "Could not".

        Raises:
            AwsBusyError: AWS was busy for too long.
            AwsError: AWS refuses, or cannot be reached.
        """
        return self.call_within(self._patience, action, doing, request, **arguments)

    def call_unless(
        self,
        gone: Container[str],
        action: str,
        doing: str,
        request: Callable[..., Mapping[str, Any]],
        **arguments: object,
    ) -> Mapping[str, Any] | None:
        """Return AWS's answer, or None if it is one of these codes: what is asked for is gone."""
        try:
            return self.call(action, doing, request, **arguments)
        except AwsError as error:
            if error.code in gone:
                return None
            raise

    def call_within(
        self,
        patience: float,
        action: str,
        doing: str,
        request: Callable[..., Mapping[str, Any]],
        **arguments: object,
    ) -> Mapping[str, Any]:
        """Return AWS's answer as ``call`` does, with so many seconds of pauses at most."""
        waited = 0.0
        pauses = _pauses()
        while True:
            self._pacer.wait(action)
            try:
                return self._once(action, doing, request, arguments)
            except AwsError as error:
                pause = next(pauses)
                waited += pause
                if error.code not in BUSY:
                    raise
                if waited > patience:
                    raise AwsBusyError(str(error), code=error.code) from error
            self._sleep(pause)

    def _once(
        self,
        action: str,
        doing: str,
        request: Callable[..., Mapping[str, Any]],
        arguments: Mapping[str, object],
    ) -> Mapping[str, Any]:
        try:
            with explained(doing, hints=_HINTS):
                answer = request(**arguments)
        except AwsError as error:
            self.calls[action] += _requests(getattr(error.__cause__, "response", {}))
            raise
        self.calls[action] += _requests(answer)
        return answer


def _requests(answer: Mapping[str, Any]) -> int:
    """Return how many requests an answer took, with those that boto3 has repeated by itself."""
    return 1 + int(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _pauses() -> Iterator[float]:
    """Yield pauses that grow, by chance shorter, so that not all who wait come back at once."""
    longest = _FIRST_PAUSE
    while True:
        yield longest * random.uniform(0.5, 1)  # noqa: S311 (no secret)
        longest = min(longest * 2, _LONGEST_PAUSE)
