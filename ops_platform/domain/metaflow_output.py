"""What Metaflow prints of a flow that it refuses, read for the reason, the file and the line.

Sources: Metaflow's ``print_metaflow_exception``, ``lint.py`` and ``pylint_wrapper.py``,
and Python's tracebacks. Its words change between versions; what is not known is told as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINT = re.compile(
    r"^ *Validity checker found an issue(?: in file (?P<file>.+?))?(?: on line (?P<line>\d+))?:\n"
    r"(?P<text>(?:    \S.*\n?)+)",
    re.MULTILINE,
)
_PYLINT = re.compile(
    r"^ *(?P<file>[^:\n]+\.py):(?P<line>\d+):\d+: (?P<text>[A-Z]\d{4}: [^\n]+)$", re.MULTILINE
)
_REFUSED = re.compile(
    r"^ {4}(?P<headline>[^\n]{1,200}):\n(?P<text>(?:    \S[^\n]*\n?)+)", re.MULTILINE
)
_FRAME = re.compile(r'^ +File "(?P<file>[^"\n]+)", line (?P<line>\d+)', re.MULTILINE)
_ERROR = re.compile(
    r"^(?P<text>(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)\b.*)$", re.MULTILINE
)
_LONGEST = 600
_MOST = 50

LOOKS_GOOD = "The graph looks good!"
NO_PYLINT = "Pylint not found"
PYLINT_HAPPY = "Pylint is happy!"
PYLINT_CRASHED = "Pylint crashed"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that Metaflow, pylint or Python complains of."""

    text: str
    file: str | None = None
    line: int | None = None


def lint_complaint(printed: str) -> Complaint | None:
    """Return what Metaflow's lint found; it stops at the first."""
    found = _LINT.search(printed)
    return _complaint(found) if found else None


def pylint_complaints(printed: str) -> list[Complaint]:
    """Return what pylint found, the first fifty of it."""
    return [_complaint(found) for found, _ in zip(_PYLINT.finditer(printed), range(_MOST))]  # noqa: B905


def refusal(printed: str) -> Complaint | None:
    """Return why Metaflow refused to go on, its headline first."""
    found = next((each for each in _REFUSED.finditer(printed)), None)
    if found is None or found["headline"].startswith("Pylint is not"):
        return None
    return Complaint(f"{found['headline']}: {_joined(found['text'])}"[:_LONGEST])


def crash(printed: str, *, folder: str) -> Complaint | None:
    """Return the exception that Python ended with, and where in the flow's own folder."""
    errors = list(_ERROR.finditer(printed))
    if not errors:
        return None
    frames = [each for each in _FRAME.finditer(printed) if each["file"].startswith(folder)]
    text = errors[-1]["text"].strip()[:_LONGEST]
    if not frames:
        return Complaint(text)
    return Complaint(text, _within(frames[-1]["file"], folder), int(frames[-1]["line"]))


def in_folder(complaints: list[Complaint], folder: str) -> Iterator[Complaint]:
    """Yield the complaints with their files as they are called within a folder."""
    for each in complaints:
        yield Complaint(each.text, each.file and _within(each.file, folder), each.line)


def _complaint(found: re.Match[str]) -> Complaint:
    line = found["line"]
    return Complaint(_joined(found["text"])[:_LONGEST], found["file"], int(line) if line else None)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _within(file: str, folder: str) -> str:
    return file.removeprefix(folder.rstrip("/") + "/")
