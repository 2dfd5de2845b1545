"""What a Slack method answers when it says no."""

from collections.abc import Sequence


class SlackError(Exception):
    """A refusal by its Slack code, with the details Slack would put beside it."""

    def __init__(self, code: str, *, details: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.details = list(details)

    def body(self) -> dict[str, object]:
        """Return the answer as Slack words it."""
        body: dict[str, object] = {"ok": False, "error": self.code}
        if self.details:
            body["errors"] = self.details
            body["response_metadata"] = {"messages": [f"[ERROR] {line}" for line in self.details]}
        return body


class RateLimitedError(SlackError):
    """Too many calls; the caller is to wait a whole number of seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after
