"""The errors a user can do something about."""


class PlatformError(Exception):
    """Its text says what went wrong and what to do; it is shown without a traceback."""
