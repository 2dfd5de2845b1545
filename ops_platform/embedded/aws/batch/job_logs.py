"""What a job writes goes to CloudWatch Logs, line by line, while it runs."""

import io
import threading
from typing import Protocol

MAX_LINE = 16_384
"""Docker splits longer lines, so that one line cannot fill the memory."""


class LogSink(Protocol):
    """Where the lines of a job go."""

    def __call__(self, stream: str, lines: list[str]) -> None:
        """Append lines to a stream of the job log group."""
        ...


class LogPump(threading.Thread):
    """Reads the output of a job until its end."""

    def __init__(self, output: io.BufferedReader, stream: str, sink: LogSink) -> None:
        super().__init__(name=f"logs-{stream[-8:]}", daemon=True)
        self._output = output
        self._stream = stream
        self._sink = sink

    def run(self) -> None:
        """Forward lines until every writer has closed its end."""
        with self._output:
            while line := self._output.readline(MAX_LINE):
                text = line.decode("utf-8", errors="replace").rstrip("\r\n")
                self._sink(self._stream, [text])
