"""The page of a morning: how the day before went, as Markdown, one section for each account."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ops_platform.domain.amounts import amount
from ops_platform.domain.markdown import escape, table
from ops_platform.domain.metric import Unit
from ops_platform.domain.rollups import EXECUTION_ENDS
from ops_platform.domain.words import counted

MOST_TURNS, MOST_QUEUES, MOST_FLOWS = 20, 3, 5
_NAMES = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timed out",
    "ABORTED": "aborted",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """A day of an account in numbers; ``ended`` are its runs by how they ended."""

    ended: Mapping[str, int] = field(default_factory=dict)
    cost: float = 0.0
    wasted: float = 0.0
    stale: int = 0

    @property
    def runs(self) -> int:
        """How many runs ended."""
        return sum(self.ended.values())

    @property
    def success_rate(self) -> float | None:
        """Which part of them had succeeded; None if none ended."""
        return self.ended.get("SUCCEEDED", 0) / self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class Named:
    """A queue or a flow with its number, and that of the day before if it had one."""

    name: str
    value: float
    before: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A flow that failed after a success, or succeeded after a failure, the last time it did."""

    account: str
    flow: str
    branch: str | None
    owner: str | None
    at: datetime
    succeeded: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class AccountDay:
    """A day of an account; ``before`` is the day before, None if that was not put together."""

    account: str
    figures: Figures
    before: Figures | None
    queues: Sequence[Named] = ()
    flows: Sequence[Named] = ()
    turns: Sequence[Turn] = ()


def page(day: date, accounts: Sequence[AccountDay]) -> dict[str, str]:
    """Return the page, by its title and by account; all names in it are foreign, shown as text.

    Apart, since Dagster shows at once what is short.
    """
    head = f"# {day:%A}, {day.day} {day:%B %Y}"
    return {
        "summary": f"{head}\n\n{_summary(accounts)}",
        **{each.account: _section(each) for each in accounts},
    }


def _summary(accounts: Sequence[AccountDay]) -> str:
    columns = ("account", "runs", "success rate", "cost", "wasted", "stale jobs cancelled")
    rows = [
        (
            escape(each.account),
            _compared(each, lambda day: day.runs, Unit.COUNT),
            _compared(each, lambda day: day.success_rate, Unit.SHARE),
            _compared(each, lambda day: day.cost, Unit.USD),
            _compared(each, lambda day: day.wasted, Unit.USD),
            _compared(each, lambda day: day.stale, Unit.COUNT),
        )
        for each in accounts
    ]
    return f"{table(columns, rows, numbers=5)}\n\nIn brackets: the day before."


def _section(each: AccountDay) -> str:
    parts = [
        f"## {escape(each.account)}",
        _ended(each.figures),
        _turns("Broke", "since", [turn for turn in each.turns if not turn.succeeded]),
        _turns("Recovered", "at", [turn for turn in each.turns if turn.succeeded]),
        _named(
            "Slowest queues", ("queue", "RUNNABLE to STARTING, p90"), each.queues, Unit.MILLISECONDS
        ),
        _named("Costliest flows", ("flow", "cost"), each.flows, Unit.USD),
    ]
    return "\n\n".join(part for part in parts if part)


def _ended(figures: Figures) -> str:
    if not figures.runs:
        return "No run ended."
    told = [
        f"{figures.ended[status]:,} {_NAMES[status]}"
        for status in EXECUTION_ENDS
        if figures.ended.get(status)
    ]
    return f"{counted(figures.runs, 'run', 'runs')} ended: {', '.join(told)}."


def _turns(title: str, when: str, turns: Sequence[Turn]) -> str:
    if not turns:
        return ""
    shown = sorted(turns, key=lambda turn: (turn.at, turn.flow), reverse=True)[:MOST_TURNS]
    left = len(turns) - len(shown)
    more = [f"And {counted(left, 'flow', 'flows')} more."] if left else []
    rows = [
        (
            escape(turn.flow),
            escape(turn.branch or ""),
            escape(turn.owner or ""),
            f"{turn.at:%H:%M}",
            *([] if turn.succeeded else [escape(turn.error or "")]),
        )
        for turn in shown
    ]
    why = [] if shown[0].succeeded else ["error"]
    return "\n\n".join(
        [f"### {title}", table(["flow", "branch", "owner", when, *why], rows), *more]
    )


def _named(title: str, columns: Sequence[str], named: Sequence[Named], unit: Unit) -> str:
    if not named:
        return ""
    rows = [
        (escape(each.name or "unknown"), amount(each.value, unit), amount(each.before, unit))
        for each in named
    ]
    return f"### {title}\n\n{table([*columns, 'the day before'], rows, numbers=2)}"


def _compared(each: AccountDay, number: Callable[[Figures], float | None], unit: Unit) -> str:
    now = amount(number(each.figures), unit)
    return f"{now} ({amount(number(each.before), unit)})" if each.before else now


def highest(values: Mapping[str, float], before: Mapping[str, float], *, most: int) -> list[Named]:
    """Return the names with the highest values above zero, each beside its value of before."""
    ranked = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Named(name, value, before.get(name)) for name, value in ranked[:most] if value > 0]
