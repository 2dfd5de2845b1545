"""The paragraphs of a message about a job that did not start, or a queue that starts none."""

from typing import Final

from ops_platform.domain.blocks import Block, context, section
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.failed_job import attempts
from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.mrkdwn import clip, code, escape
from ops_platform.domain.stale_incidents import WHAT_TO_CHANGE, WHAT_TO_DO
from ops_platform.domain.standstill import Standstill
from ops_platform.domain.story import Story
from ops_platform.domain.words import duration

SENTENCE_LIMIT: Final = 700
ADVICE_LIMIT: Final = 900
COMMAND: Final = "ops-platform "
_FIGURES_SHOWN: Final = 8
_LINES_SHOWN: Final = 4
_FIGURE_LIMIT: Final = 100
_NAME_LIMIT: Final = 120
_COMMAND_LIMIT: Final = 600


def standstill(story: Story) -> list[Block]:
    """Return why a job could not start, what to change, and the figures that were compared."""
    held_up = story.standstill
    if held_up is None:
        return []
    waits = story.incident.kind is Kind.JOB_STUCK
    said = [f"*Why it {'does' if waits else 'could'} not start*"]
    said.append(clip(escape(held_up.sentence), SENTENCE_LIMIT))
    if held_up.advice:
        said += [f"*{WHAT_TO_CHANGE}*", clip(escape(held_up.advice), ADVICE_LIMIT)]
    if held_up.evidence:
        said += ["*Compared*", *map(_figure, held_up.evidence[:_FIGURES_SHOWN])]
    return [section("\n".join(filter(None, said))), *_waited(held_up, story)]


def sentences(incident: Incident) -> list[Block]:
    """Return what an incident of ours says below its first sentence, its commands as such."""
    lines = (incident.error or "").strip().split("\n")[1 : 1 + _LINES_SHOWN]
    text = "\n".join(filter(None, map(_line, lines)))
    return [section(text)] if text else []


def _line(line: str) -> str:
    if line.startswith(COMMAND):
        return code(line, _COMMAND_LIMIT)
    label, colon, rest = line.partition(": ")
    if colon and label in {WHAT_TO_DO, WHAT_TO_CHANGE}:
        return f"*{label}*\n{clip(escape(rest), ADVICE_LIMIT)}"
    return clip(escape(line), SENTENCE_LIMIT)


def _figure(figure: Figure) -> str:
    what, asked, available = (
        clip(escape(part), _FIGURE_LIMIT) for part in (figure.what, figure.asked, figure.available)
    )
    # What Batch says and when a queue moved are compared with nothing.
    return f"• {what}: wanted {asked}, found {available}" if asked else f"• {what}: {available}"


def _waited(held_up: Standstill, story: Story) -> list[Block]:
    """Return which job waited where for how long, by which policy it was judged."""
    job = code(held_up.job_id, _NAME_LIMIT) if held_up.job_id else "It"
    length = f" for {duration(held_up.waited)}" if held_up.waited is not None else ""
    where = f" in queue {code(held_up.queue, _NAME_LIMIT)}" if held_up.queue else ""
    before = attempts(story.job.latest) if story.job and story.job.latest.attempts else ""
    size = clip(escape(held_up.asks_for), _NAME_LIMIT) if held_up.asks_for else ""
    told = (
        f"{job} waited{length}{where}" if length or where else "",
        f"it asked for {size}" if size else "",
        f"policy {code(held_up.policy, _NAME_LIMIT)}" if held_up.policy else "",
        f"before that: {before}" if before else "",
    )
    text = " · ".join(filter(None, told))
    return [context(text)] if text else []
