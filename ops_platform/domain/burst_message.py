"""What a burst says: many incidents of one flow or cause as one Slack message."""

from collections.abc import Sequence
from datetime import datetime

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import header, section
from ops_platform.domain.bursts import Burst, common_of
from ops_platform.domain.identity import Links
from ops_platform.domain.mrkdwn import escape


def render_burst(
    burst: Burst,
    *,
    links: Links,  # noqa: ARG001
    mentions: Sequence[str],
    meant_for: str | None,  # noqa: ARG001
    now: datetime,  # noqa: ARG001
) -> Message:
    """Return the message of a burst; ``mentions`` is Slack markup that names the owners."""
    common = common_of(burst.by, burst.members)
    headline = f"{len(burst.members):,} runs failed in {burst.members[0].account}: {common}"
    text = f"{' '.join(mentions[:10])} {escape(headline)}".strip()
    return Message(text=text, blocks=[header(headline), section(text)])
