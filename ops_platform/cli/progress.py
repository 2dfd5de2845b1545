"""How a command that takes its time shows that it works: one line on standard error."""

import sys
import time
from types import TracebackType
from typing import Self

import click

_QUIET_SECONDS = 2.0


class Progress:
    """Counts on standard error, from two seconds on; silent where nobody watches."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()
        self._shown = False

    def show(self, count: int) -> None:
        """Show how far the work has come."""
        seconds = time.monotonic() - self._started
        if seconds < _QUIET_SECONDS or not sys.stderr.isatty():
            return
        click.echo(f"\r{count:,} {self._what} in {seconds:.0f} s", nl=False, err=True)
        self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._shown:
            click.echo(err=True)
