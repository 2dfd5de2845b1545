"""The loopback ports of the embedded edition."""

import contextlib
import socket
from dataclasses import asdict, dataclass

from ops_platform.domain.errors import PlatformError

HOST = "127.0.0.1"


class PortTakenError(PlatformError):
    """Somebody else listens on a port that was chosen."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens; 0 stands for any port that is free."""

    dagster: int
    slack: int
    staging: int
    production: int
    # Between Dagster's own processes.
    code: int = 0

    @classmethod
    def from_base(cls, base: int, **chosen: int) -> "Ports":
        """Return the ports that begin at ``base``, or free ones for 0; ``chosen`` ones apart."""
        offsets = {"dagster": 0, "slack": 1, "staging": 11, "production": 12}
        return cls(**{part: base and base + offset for part, offset in offsets.items()} | chosen)

    def reserved(self) -> "Ports":
        """Return ports that nobody listens on, with a number in place of each 0.

        Raises:
            PortTakenError: one is taken; the text names the option to change it.
        """
        self._refuse_sharing()
        with contextlib.ExitStack() as held:
            return Ports(
                **{part: _free_port(part, port, held) for part, port in asdict(self).items()}
            )

    def _refuse_sharing(self) -> None:
        """Refuse one port for two parts, which binding without listening does not notice."""
        taken: dict[int, str] = {}
        for part, port in asdict(self).items():
            if port and taken.setdefault(port, part) != part:
                raise PortTakenError(
                    f"Port {port} is for {taken[port]} and for {part}. Give one of them another,"
                    f" with --{taken[port]}-port or --{part}-port."
                )


def _free_port(part: str, port: int, held: contextlib.ExitStack) -> int:
    """Bind to a port until all are known, so that no two parts are given the same one."""
    listener = held.enter_context(socket.socket())
    # A port whose last connections are still being forgotten is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        raise PortTakenError(
            f"Port {port} for {part} cannot be used: {error}. Choose another with "
            f"--{part}-port, or all with --port-base (0: any that are free)."
        ) from error
    return int(listener.getsockname()[1])
