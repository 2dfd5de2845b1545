"""Small charts: well-formed, bounded, and the same for the same data."""

import base64
import random
from datetime import timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.charts import (
    MOST_BARS,
    MOST_LINES,
    MOST_POINTS,
    Line,
    bar_chart,
    line_chart,
    picture,
    sparks,
)
from ops_platform.domain.metric import Unit
from ops_platform_tests.build import NOON

SVG = "{http://www.w3.org/2000/svg}"
HOURS = [NOON + timedelta(hours=number) for number in range(24)]
numbers = st.one_of(st.none(), st.floats(0, 1e12))


def _texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{SVG}text")]


def _drawn(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}{tag}"))


@given(
    lines=st.lists(
        st.builds(Line, st.text(), st.lists(numbers, min_size=24, max_size=24).map(tuple)),
        max_size=12,
    )
)
def test_whatever_there_is_makes_a_small_well_formed_drawing(lines: list[Line]) -> None:
    """Also of foreign names."""
    drawn = line_chart("Jobs", HOURS, lines, Unit.COUNT)
    assert len(_drawn(drawn, "rect")) <= 1 + MOST_LINES
    assert len(drawn) < 20_000


@given(bars=st.lists(st.tuples(st.text(), st.floats(0, 1e12)), max_size=30))
def test_bars_are_well_formed_and_few(bars: list[tuple[str, float]]) -> None:
    """The longest are shown."""
    drawn = bar_chart("Why", bars, Unit.COUNT)
    assert len(_drawn(drawn, "rect")) == 1 + min(len(bars), MOST_BARS)


def test_a_month_of_hours_is_few_points_that_keep_the_peak() -> None:
    """The highest of those hours that share a point."""
    hours = [NOON + timedelta(hours=number) for number in range(720)]
    line = Line("RUNNING", tuple(1000.0 if number == 401 else 1.0 for number in range(720)))
    drawn = line_chart("Jobs", hours, [line], Unit.COUNT)
    (path,) = (each for each in _drawn(drawn, "path") if "L" in each.attrib["d"])
    assert path.attrib["d"].count("L") + 1 <= MOST_POINTS
    assert "1,000" in _texts(drawn)


def test_lines_are_the_same_in_whatever_order_they_come() -> None:
    """Equal data, equal bytes."""
    lines = [
        Line(name, (float(height),) * 24) for name, height in zip("abc", (2, 2, 5), strict=True)
    ]
    shuffled = random.Random(1).sample(lines, k=3)
    assert line_chart("x", HOURS, lines, Unit.COUNT) == line_chart("x", HOURS, shuffled, Unit.COUNT)


def test_what_is_unknown_interrupts_the_line() -> None:
    """One point alone is a dot; nothing is no zero."""
    points = (1.0, 2.0, None, 3.0, None, *(1.0,) * 19)
    drawn = line_chart("x", HOURS, [Line("a", points)], Unit.COUNT)
    (path,) = (each for each in _drawn(drawn, "path") if "L" in each.attrib["d"])
    assert path.attrib["d"].count("M") == 3
    assert len(_drawn(drawn, "circle")) == 1


def test_what_is_not_drawn_is_told() -> None:
    """Of ten lines, three are left out; a name that is none is unknown."""
    lines = [
        Line("" if not number else f"s{number}", (float(number),) * 24) for number in range(10)
    ]
    drawn = line_chart("x", HOURS, lines, Unit.COUNT)
    assert "and 3 more" in _texts(drawn)
    assert "unknown" in _texts(bar_chart("x", [("", 7)], Unit.COUNT))


def test_an_empty_chart_says_so() -> None:
    """And is no error."""
    assert "None." in _texts(bar_chart("Why", [], Unit.COUNT))
    assert _texts(line_chart("Jobs", [], [], Unit.COUNT)) == ["Jobs", "0"]


def test_lines_of_text_are_short_enough_to_be_shown_at_once() -> None:
    """A thousand characters, of a month too; foreign names end no block of code."""
    lines = [Line(f"```state {n}", tuple(float(k) for k in range(720))) for n in range(20)]
    assert len(sparks(lines, Unit.MILLISECONDS)) < 900
    assert sparks(lines, Unit.COUNT).count("`") == 6
    rising = Line("a", (0.0, 4.0, None, 8.0))
    assert "a            ▁▅ █ at most 8" in sparks([rising], Unit.COUNT)
    assert "▁▁ at most 0" in sparks([Line("a", (0.0, 0.0))], Unit.COUNT)
    assert sparks([], Unit.COUNT) == "Nothing."


def test_a_picture_is_markdown_that_needs_nothing_else() -> None:
    """The drawing is within the address."""
    shown = picture("<svg/>", "Jobs")
    assert shown.startswith("![Jobs](data:image/svg+xml;base64,")
    assert base64.b64decode(shown.split(",")[1][:-1]) == b"<svg/>"
