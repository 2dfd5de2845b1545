"""What a Metaflow run is tagged with, as the command of its jobs tells.

Metaflow writes a run's tags into the command of each job, as ``--tag NAME:VALUE``, and nowhere else
that AWS shows. The command itself may hold anything; of it, nothing but a tag's value is kept.
"""

import re
from collections.abc import Iterable

_OWNER = re.compile(r"""--tag[= ]["']?owner:([^\s"'`;&|<>\\]{1,200})(?=[\s"'`;&|<>\\]|\Z)""")


def owner_tag(command: Iterable[str]) -> str | None:
    """Return whom the tag ``owner:NAME`` in a job's command names, the least if several do."""
    return min((name for part in command for name in _OWNER.findall(part)), default=None)
