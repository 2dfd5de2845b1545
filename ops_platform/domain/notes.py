"""What is said in an alert's thread later: resolved, failed again, still broken."""

from datetime import datetime

from ops_platform.domain.alert_message import Message
from ops_platform.domain.blocks import section
from ops_platform.domain.mrkdwn import escape
from ops_platform.domain.story import Story
from ops_platform.domain.telling import Why


def render_note(why: Why, story: Story, *, now: datetime) -> Message:  # noqa: ARG001
    """Return the note for the thread; all but a resolved one mention the owner."""
    mention = f"{story.mention} " if story.mention and why is not Why.RESOLVED else ""
    incident = story.incident
    text = f"{mention}{escape(incident.flow)} in {escape(incident.account)}: {why}"
    return Message(text=text, blocks=[section(text)])
