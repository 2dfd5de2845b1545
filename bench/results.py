"""What a benchmark found, as a table for people."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement beside its target; without a target it is only told."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """Say in a word whether the target is met."""
        return {True: "met", False: "MISSED", None: ""}[self.met]


def markdown(results: Iterable[Result]) -> str:
    """Return a Markdown table that reads well in a terminal too."""
    head = ("Benchmark", "Measured", "Target", "")
    rows = [head, *((it.name, it.measured, it.target, it.verdict) for it in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"
