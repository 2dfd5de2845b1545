"""What is wrong with the settings, one line for each problem."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops_platform.domain.errors import PlatformError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right: the key, and what is wrong with it and what is allowed."""

    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


class SettingsError(PlatformError):
    """The settings cannot be used; its text has one line for each problem."""

    def __init__(self, problems: Sequence[Problem], *, source: str = "") -> None:
        self.problems = tuple(problems)
        prefix = f"{source}: " if source else ""
        super().__init__("\n".join(f"{prefix}{problem}" for problem in self.problems))
