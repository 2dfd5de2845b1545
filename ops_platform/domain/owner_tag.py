"""The owner that a run's tag ``owner:NAME`` names, as the commands of its jobs show it.

Metaflow hands the tags of a run to each task on its command line: bare under Step Functions, quoted
for the shell by ``run --with batch``. Batch's own tags carry none of them. A command may hold
anything; of it, nothing but the tag's value is kept.
"""

import re
from collections.abc import Iterable

_MARK = re.compile(rb"owner:")
# Bounded and anchored at a fixed word, so that no command takes long to search.
_TAG = re.compile(
    r"--tag[= ]{1,4}(?:"
    r"owner:(?P<bare>[^\s'\"`$&|;()<>\\]{1,128})(?=[\s'\"`$&|;()<>\\]|\Z)"
    r"|(?P<quote>['\"])owner:(?P<quoted>[^'\"\n\\]{1,128})(?P=quote))"
)


def may_name_owner(message: bytes) -> bool:
    """Tell quickly whether it is worth reading the command in a message."""
    return _MARK.search(message) is not None


def owner_in(command: Iterable[str]) -> str | None:
    """Return the owner that a job's command is tagged with, the least if there are several.

    A command that Metaflow keeps in S3 (``--compress-state-machine``) shows no tags.
    """
    tags = (match for part in command for match in _TAG.finditer(part))
    names = ((tag["bare"] or tag["quoted"]).strip() for tag in tags)
    return min(filter(None, names), default=None)
