"""Names that people write: patterns of them, and which one they may have meant."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from fnmatch import fnmatchcase

_NOT_SPECIAL = re.compile(r"[?[]")  # to us, though they are to fnmatch
_ACCOUNT_ID = re.compile(r"[0-9]{12}")


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern, in which ``*`` alone stands for any characters."""
    return fnmatchcase(name, _NOT_SPECIAL.sub(r"[\g<0>]", pattern))


def is_account_id(name: str) -> bool:
    """Tell whether it is the number of an AWS account, under which foreign ones are kept."""
    return _ACCOUNT_ID.fullmatch(name) is not None


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the name that was meant, as far as one can tell: one it begins, or one like it."""
    begun = [each for each in known if name and each.startswith(name)]
    return next(iter(begun or get_close_matches(name, known, n=1)), None)


def no_such_account(name: str, known: Collection[str]) -> str:
    """Return the sentence that refuses an account which is not in the settings."""
    near = nearest(name, known)
    hint = f"did you mean {near}? Known are" if near else "known are"
    return f"There is no account {name!r}; {hint}: {', '.join(sorted(known))}."
