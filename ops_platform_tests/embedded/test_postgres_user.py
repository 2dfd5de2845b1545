"""The embedded Postgres runs for root, for root without namespaces, and for anybody else."""

import os
import signal
import sys
from pathlib import Path

import pytest

from ops_platform_tests.embedded.postgres_holders import eventually, holders, keepers, servers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

_NOBODY = 65534
# The interpreter may lie in a folder of root's: this one capability lets it be read.
_AS_NOBODY = (
    "setpriv",
    f"--reuid={_NOBODY}",
    f"--regid={_NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
)
# Runs a command where everything is as usual, but no user namespace can be made.
_WITHOUT_NAMESPACES = """
import ctypes, os, sys
from pathlib import Path

(made, tell_made), (mapped, tell_mapped) = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(tell_made, b"x")
    os.read(mapped, 1)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    ctypes.CDLL(None).prctl(1, 9)
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(made, 1)
for table in ("uid_map", "gid_map"):
    Path(f"/proc/{child}/{table}").write_text("0 0 65536")
os.write(tell_mapped, b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
_AS_ROOT_WITHOUT_NAMESPACES = (sys.executable, "-c", _WITHOUT_NAMESPACES)


def _owner_of_data(state: Path) -> int:
    return (state / "postgres" / "data").stat().st_uid


def test_root_owns_what_its_server_writes(tmp_path: Path) -> None:
    """In a namespace the server is not root, and yet nobody else's files appear."""
    with holders(tmp_path, 1) as held:
        assert held[0].server()
        assert _owner_of_data(tmp_path) == 0
        held[0].leave()


def test_without_namespaces_the_server_is_nobody(tmp_path: Path) -> None:
    """The same folder serves root with and without namespaces, back and forth."""
    for prefix, owner in ((_AS_ROOT_WITHOUT_NAMESPACES, _NOBODY), ((), 0)):
        with holders(tmp_path, 1, prefix=prefix) as held:
            assert held[0].server()
            assert _owner_of_data(tmp_path) == owner
            held[0].leave()
        assert not servers(tmp_path)


@pytest.mark.parametrize("prefix", [_AS_ROOT_WITHOUT_NAMESPACES, _AS_NOBODY], ids=["root", "user"])
def test_a_killed_keeper_takes_any_users_server_with_it(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    """A change of user clears what the kernel was told; it has to be told again after it."""
    os.chown(tmp_path, _NOBODY, -1)
    with holders(tmp_path, 1, prefix=prefix) as held:
        assert held[0].server()
        assert _owner_of_data(tmp_path) == _NOBODY
        os.kill(keepers(tmp_path)[0], signal.SIGKILL)
        assert eventually(lambda: not servers(tmp_path))
