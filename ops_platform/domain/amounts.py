"""Numbers of metrics as people read them: with their unit, and no more digits than matter."""

from collections.abc import Callable, Mapping
from typing import Final

from ops_platform.domain.metric import Unit

_LENGTHS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))
_SIZES: Final = (("M", 1e6), ("k", 1e3))
_TEN: Final = 10
_CENT: Final = 0.01
UNKNOWN: Final = "-"


def amount(value: float | None, unit: Unit) -> str:
    """Return a number of a unit; a dash where there is none."""
    if value is None:
        return UNKNOWN
    if unit in _SHAPES:
        return _SHAPES[unit](value)
    return f"{_scaled(value)} {unit}"


def _length(milliseconds: float) -> str:
    for name, size in _LENGTHS:
        if milliseconds >= size:
            return f"{_digits(milliseconds / size)} {name}"
    return f"{milliseconds:.0f} ms"


def _money(value: float) -> str:
    return f"{value:.4f}" if 0 < value < _CENT else f"{value:,.2f}"


def _scaled(value: float) -> str:
    for name, size in _SIZES:
        if abs(value) >= _TEN * size:
            return f"{_digits(value / size)}{name}"
    return _digits(value)


def _digits(value: float) -> str:
    text = f"{value:,.1f}" if abs(value) >= _TEN else f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


_SHAPES: Final[Mapping[Unit, Callable[[float], str]]] = {
    Unit.MILLISECONDS: _length,
    Unit.USD: lambda value: f"${_money(value)}",
    Unit.SHARE: lambda value: f"{_digits(100 * value)} %",
    Unit.MIB: lambda value: f"{_scaled(value / 1024)} GiB",
    Unit.COUNT: _scaled,
}
