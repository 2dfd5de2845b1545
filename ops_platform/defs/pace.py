"""How often sensors tick."""

DAGSTER_LOOKS_SECONDS = 5


def minimum_interval(seconds: int) -> int:
    """Return what to ask of Dagster so that a sensor ticks every so many seconds.

    Dagster looks at its sensors every five seconds, and counts from the moment at which a tick
    began, which is a little after the look. One that asks for five, or a multiple, is not quite
    due at the look that is meant for it, and waits for the next one.
    """
    return max(1, seconds - 1)
