"""How long the emulated account takes for what takes AWS minutes."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; shorter than in AWS, in the same order."""

    starting: float = 0.3
    """A job stays in STARTING: the pull of its image."""
    instance_boot: float = 0.5
    """An EC2 instance takes from its launch until it registers."""
    instance_idle: float = 30.0
    """An instance without a job stays registered."""
    blocked: float = 3.0
    """A job waits at the head of its queue until Batch says what blocks it."""
    shortest_time_limit: float = 600.0
    """The least ``maxTimeSeconds`` of a jobStateTimeLimitActions entry, as in AWS."""
    page_token: float = 3600.0
    """A page token of ListJobs can be used; AWS does not say for how long."""
    kill_grace: float = 2.0
    """Between SIGTERM and SIGKILL; 30 s in AWS."""
    reaction: float = 1.0
    """Step Functions learns of the success of a job after it happened."""
    failure_reaction: float = 8.0
    """And of a failure: two busy cores take seconds to end two tasks that failed together."""


def parse_timing(settings: list[str]) -> Timing:
    """Read ``name=seconds`` settings.

    Raises:
        ValueError: A name is unknown, or its value is no number.
    """
    known = [field.name for field in fields(Timing)]
    values: dict[str, float] = {}
    for setting in settings:
        name, _, seconds = setting.partition("=")
        if name not in known:
            raise ValueError(f"Unknown timing {name!r}; known are: {', '.join(known)}.")
        values[name] = float(seconds)
    return Timing(**values)
