"""How much memory a process and all that it started hold; source: proc_pid_stat(5)."""

import os
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_PARENT, _RESIDENT = 1, 21  # fields after the command's closing parenthesis


def memory_below(pid: int) -> int:
    """Return the bytes that a process and its descendants hold, 0 where the kernel does not tell.

    Pages that they share are counted for each of them.
    """
    children: dict[int, list[int]] = defaultdict(list)
    held: dict[int, int] = {}
    for process in _PROC.glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        children[int(fields[_PARENT])].append(int(process.name))
        held[int(process.name)] = int(fields[_RESIDENT])
    total, left = 0, [pid]
    while left:
        each = left.pop()
        total += held.get(each, 0)
        left += children[each]
    return total * os.sysconf("SC_PAGE_SIZE")
