"""Every part has a port of its own that is free."""

import socket
from dataclasses import astuple

import pytest

from ops_platform.embedded.ports import Ports, PortTakenError


def test_the_ports_follow_the_base() -> None:
    """Dagster at the base, Slack beside it, AWS a little above."""
    assert Ports.from_base(3000) == Ports(dagster=3000, slack=3001, staging=3011, production=3012)


def test_a_chosen_port_beats_the_base() -> None:
    """One option moves one part."""
    assert Ports.from_base(3000, slack=4000).slack == 4000


def test_zero_stands_for_free_ports_that_differ() -> None:
    """No two parts are given the same one."""
    ports = astuple(Ports.from_base(0).reserved())
    assert len(set(ports)) == len(ports)
    assert all(ports)


def test_a_port_that_was_just_in_use_is_free() -> None:
    """The end of the last edition must not keep the next one from its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()
    assert Ports.from_base(0, slack=port).reserved().slack == port


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_taken_port_is_refused(host: str) -> None:
    """Whether somebody listens there alone or on every address."""
    with socket.create_server((host, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"Port {port} for staging.*--staging-port"):
            Ports.from_base(0, staging=port).reserved()


def test_one_port_for_two_parts_is_refused() -> None:
    """At once, rather than when the second of them is started."""
    with pytest.raises(PortTakenError, match=r"Port 4000 is for dagster and for slack.*--slack-po"):
        Ports.from_base(4000, slack=4000).reserved()
