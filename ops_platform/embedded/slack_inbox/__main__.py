"""Run the inbox alone: ``python -m ops_platform.embedded.slack_inbox --port 0 --folder DIR``."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Final

from ops_platform.embedded.lifeline import end_with
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.store import FolderInUseError

_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_CANNOT_START: Final = 1


def main() -> int:
    """Serve until a signal comes or the parent ends; print the address once it answers."""
    given = _arguments()
    parent = os.getppid()
    # Blocked and waited for rather than handled: that works where a shell ignores them, too.
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    end_with(parent, signal.SIGTERM)
    try:
        inbox = SlackInbox(given.folder, port=given.port, create_channels=not given.no_new_channels)
    except FolderInUseError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"Cannot listen on 127.0.0.1:{given.port}: {error.strerror}.")
    with inbox:
        sys.stdout.write(f"Slack inbox ready at {inbox.url}\n")
        sys.stdout.flush()
        signal.sigwait(_SIGNALS)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slack_inbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 means any that is free")
    parser.add_argument("--folder", type=Path, help="where messages are kept between runs")
    parser.add_argument("--no-new-channels", action="store_true", help="refuse unknown channels")
    return parser.parse_args()


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return _CANNOT_START


if __name__ == "__main__":
    sys.exit(main())
