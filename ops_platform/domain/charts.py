"""Small charts, drawn as SVG: lines over time, and bars. However much there is, they stay small."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise
from typing import Final

from ops_platform.domain.amounts import amount
from ops_platform.domain.metric import Unit

MOST_LINES: Final = 7
MOST_BARS: Final = 8
MOST_POINTS: Final = 96
_WIDTH, _HEIGHT = 680, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 500, 34, 160
_BAR, _BARS_LEFT, _BARS_ROOM = 20, 220, 360
_LONGEST_NAME: Final = 26
_SPARKS, _SPARK_NAME = 24, 12
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
# Told apart also by who sees no red or no green.
_COLOURS: Final = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888")
_INK, _FAINT = "#444", "#ddd"


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its number at each moment; None where there is none."""

    name: str
    points: tuple[float | None, ...]

    @property
    def highest(self) -> float:
        """The highest of its numbers."""
        return max((each for each in self.points if each is not None), default=0.0)


def line_chart(title: str, moments: Sequence[datetime], lines: Sequence[Line], unit: Unit) -> str:
    """Return lines over time, the highest few of them; of many moments each few are one point."""
    # Sorted by name after by height, so that equal data give an equal picture.
    shown = sorted(lines, key=lambda line: (-line.highest, line.name))[:MOST_LINES]
    step = -(-len(moments) // MOST_POINTS) or 1
    thin = [Line(each.name, _thinned(each.points, step)) for each in shown]
    top = max((line.highest for line in thin), default=0.0)
    parts = [_text(10, 18, title, weight="bold"), *_scale(top, unit), *_times(moments)]
    for place, line in enumerate(thin):
        colour = _COLOURS[place % len(_COLOURS)]
        parts += [*_path(line.points, top, colour), *_legend(place, line, colour, unit)]
    if len(lines) > len(shown):
        y = _TOP + 6 + 18 * len(shown)
        parts.append(_text(_RIGHT + 14, y, f"and {len(lines) - len(shown)} more"))
    return _svg(_HEIGHT, parts)


def bar_chart(title: str, values: Sequence[tuple[str, float]], unit: Unit) -> str:
    """Return one bar for each name, the longest first."""
    shown = sorted(values, key=lambda pair: (-pair[1], pair[0]))[:MOST_BARS]
    longest = max((value for _, value in shown), default=0.0) or 1.0
    parts = [_text(10, 18, title, weight="bold")]
    for place, (name, value) in enumerate(shown):
        y = _TOP + _BAR * place
        width = max(0.0, _BARS_ROOM * value / longest)
        parts += [
            _text(_BARS_LEFT - 8, y + 13, _clipped(name), anchor="end"),
            _rect(_BARS_LEFT, y + 2, width, _BAR - 6, _COLOURS[0]),
            _text(_BARS_LEFT + width + 6, y + 13, amount(value, unit)),
        ]
    if not shown:
        parts.append(_text(10, _TOP + 13, "None."))
    return _svg(_TOP + _BAR * max(1, len(shown)) + 8, parts)


def sparks(lines: Sequence[Line], unit: Unit) -> str:
    """Return lines as text of a fixed width, the highest few; each has a height of its own."""
    shown = sorted(lines, key=lambda line: (-line.highest, line.name))[:MOST_LINES]
    step = -(-max((len(line.points) for line in shown), default=0) // _SPARKS) or 1
    rows = [
        f"{_clipped(line.name, _SPARK_NAME):{_SPARK_NAME}} "
        f"{''.join(_spark(point, line.highest) for point in _thinned(line.points, step))}"
        f" at most {amount(line.highest, unit)}"
        for line in shown
    ]
    printable = (
        "".join(each for each in row if each.isprintable() and each != "`") for row in rows
    )
    return "\n".join(["```", *printable, "```"]) if rows else "Nothing."


def _spark(point: float | None, highest: float) -> str:
    if point is None:
        return " "
    return _HEIGHTS[round((len(_HEIGHTS) - 1) * point / highest)] if highest else _HEIGHTS[0]


def picture(svg: str, told: str) -> str:
    """Return Markdown that shows the drawing; ``told`` is ours, for whoever cannot see it."""
    return f"![{told}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"


def _thinned(points: Sequence[float | None], step: int) -> tuple[float | None, ...]:
    groups = (points[at : at + step] for at in range(0, len(points), step))
    return tuple(max((each for each in some if each is not None), default=None) for some in groups)


def _scale(top: float, unit: Unit) -> list[str]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _BOTTOM - share * (_BOTTOM - _TOP)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_RIGHT}" stroke="{_FAINT}"/>')
        if top or not share:
            parts.append(_text(_LEFT - 6, y + 4, amount(share * top, unit), anchor="end"))
    return parts


def _times(moments: Sequence[datetime]) -> list[str]:
    if not moments:
        return []
    far = moments[-1].date() != moments[0].date()
    told = [f"{at:%d %b %H:%M}" if far else f"{at:%H:%M}" for at in (moments[0], moments[-1])]
    begin, end = told
    return [_text(_LEFT, _BOTTOM + 18, begin), _text(_RIGHT, _BOTTOM + 18, end, anchor="end")]


def _path(points: Sequence[float | None], top: float, colour: str) -> list[str]:
    """Return the line, interrupted where a number is missing; one alone is a dot."""
    width = (_RIGHT - _LEFT) / max(1, len(points) - 1)
    height = (_BOTTOM - _TOP) / (top or 1.0)
    spots = [
        None if each is None else f"{_LEFT + at * width:.1f} {_BOTTOM - each * height:.1f}"
        for at, each in enumerate(points)
    ]
    if not any(spots):
        return []
    joined = "".join(
        f"{'L' if before else 'M'}{spot}" for before, spot in pairwise([None, *spots]) if spot
    )
    dots = [
        f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>'
        for before, spot, after in zip([None, *spots], spots, [*spots[1:], None], strict=False)
        if spot and not before and not after
        for x, y in [spot.split()]
    ]
    line = f'<path d="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [line, *dots]


def _legend(place: int, line: Line, colour: str, unit: Unit) -> list[str]:
    y = _TOP + 6 + 18 * place
    last = next((each for each in reversed(line.points) if each is not None), None)
    words = f"{_clipped(line.name, 16)} {amount(last, unit)}"
    return [_rect(_RIGHT + 14, y - 9, 10, 10, colour), _text(_RIGHT + 30, y, words)]


def _clipped(name: str, longest: int = _LONGEST_NAME) -> str:
    shown = name or "unknown"
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    # XML has no room for control characters, however they are written.
    printable = "".join(each for each in words if each.isprintable())
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(printable)}</text>"
    )


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def _svg(height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
        f' viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12" fill="{_INK}">'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>'
    )
