"""Where the marks of a chart stand: pure arithmetic, no Django.

Across, everything is a percentage of the width, so a drawing fits any screen without scaling its letters. Up and down
it is pixels of a fixed height. Coordinates leave here as strings with a decimal point, whatever the page's language.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its doubt on an axis: percentages across; zero is None when it is outside the axis."""

    low: str
    mid: str
    high: str
    zero: str | None
    is_unsure: bool
    is_loss: bool


@dataclass(frozen=True)
class Bar:
    """One upright bar: x and width in percent, y and height in pixels."""

    x: str
    width: str
    y: str
    height: str
    low: float
    high: float
    count: int
    is_inside: bool


@dataclass(frozen=True)
class Tick:
    """A line of the grid: its place (pixels down or percent across) and the value that it stands for."""

    at: str
    value: float


@dataclass(frozen=True)
class Dot:
    """A point: x in percent, y in pixels, with what it stands for; ends of its interval where known."""

    x: str
    y: str
    label: str
    value: float
    low: float | None = None
    high: float | None = None
    low_y: str = ""
    high_y: str = ""
    size: str = "4"
    near: str = "middle"


def place_interval(low: float, mid: float, high: float, axis_low: float, axis_high: float) -> Interval:
    """Places an estimate on an axis; what runs over an end of the axis is cut there."""
    span = (axis_high - axis_low) or 1.0

    def across(value: float) -> str:
        return _percent((min(max(value, axis_low), axis_high) - axis_low) / span)

    zero = across(0.0) if axis_low <= 0 <= axis_high else None
    return Interval(across(low), across(mid), across(high), zero, low <= 0 <= high, high < 0)


def stand_bars(counts: Sequence[int], height: float, low: float, high: float, gap: float = 0.14) -> list[Bar]:
    """Bars for equal bins of 0..1; a bin inside [low, high] is marked."""
    most, width = max([*counts, 1]), 1 / max(len(counts), 1)
    bars = []
    for place, count in enumerate(counts):
        start, end = place * width, (place + 1) * width
        tall = height * count / most
        tall = max(tall, 1.5) if count else 0.0
        is_inside = start >= low - 1e-9 and end <= high + 1e-9
        bars.append(
            Bar(
                _percent(start + width * gap / 2), _percent(width * (1 - gap)), _pixels(height - tall), _pixels(tall),
                start, end, int(count), is_inside,
            )
        )  # fmt: skip
    return bars


def rule_lines(most: float, height: float, least: float = 0.0, lines: int = 4) -> list[Tick]:
    """Round values between least and most with their place in pixels from the top, lowest first."""
    span = most - least
    if span <= 0:
        return [Tick(_pixels(height), least)]
    step = round_step(span / lines)
    first = math.ceil(least / step - 1e-9) * step
    amount = math.floor((most - first) / step + 1e-9) + 1
    return [
        Tick(_pixels(height * (1 - (first + place * step - least) / span)), round(first + place * step, 10))
        for place in range(amount)
    ]


def round_step(rough: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten that is not below rough."""
    scale = 10.0 ** math.floor(math.log10(rough))
    return next(scale * one for one in (1, 2, 2.5, 5, 10) if scale * one >= rough * (1 - 1e-9))


def place_dots(
    rows: Sequence[tuple[str, float, float | None, float | None]], height: float, least: float, most: float
) -> list[Dot]:
    """Points at equal steps across from (label, value, low, high)."""
    span, steps = (most - least) or 1.0, max(len(rows) - 1, 1)

    def down(value: float) -> str:
        return _pixels(height * (1 - (min(max(value, least), most) - least) / span))

    return [
        Dot(
            _percent(place / steps), down(value), label, value, low, high,
            "" if low is None else down(low), "" if high is None else down(high),
            near="start" if place == 0 else "end" if place == len(rows) - 1 else "middle",
        )
        for place, (label, value, low, high) in enumerate(rows)
    ]  # fmt: skip


def trace_line(dots: Sequence[Dot]) -> str:
    """The points of a polyline in a box of 100 wide (a percentage each) and as high as the plot."""
    return " ".join(f"{dot.x.rstrip('%')},{dot.y}" for dot in dots)


def trace_band(dots: Sequence[Dot]) -> str:
    """The outline of the band between the ends of the intervals, over the points that have one; empty for fewer than two."""
    bounded = [dot for dot in dots if dot.low_y]
    if len(bounded) < 2:
        return ""
    there = [f"{dot.x.rstrip('%')},{dot.high_y}" for dot in bounded]
    back = [f"{dot.x.rstrip('%')},{dot.low_y}" for dot in reversed(bounded)]
    return " ".join([*there, *back])


def thin_labels(amount: int, most: int = 5) -> list[bool]:
    """Which of `amount` labels to write so that at most `most` stand under a plot, the last one always."""
    step = max(1, math.ceil(amount / most))
    return [(amount - 1 - place) % step == 0 for place in range(amount)]


def place_calibration(
    points: Sequence[tuple[float, float, int, float | None, float | None]], height: float
) -> list[Dot]:
    """(predicted, observed, people, ends of the interval of what was observed) on the unit square; a dot's area follows its
    people, radius 3 to 9."""
    most = max([point[2] for point in points], default=1) or 1
    return [
        Dot(
            _percent(predicted), _pixels(height * (1 - observed)), f"{n:,}", observed, low, high,
            low_y="" if low is None else _pixels(height * (1 - low)),
            high_y="" if high is None else _pixels(height * (1 - high)),
            size=_pixels(3 + 6 * math.sqrt(n / most)),
        )
        for predicted, observed, n, low, high in points
    ]  # fmt: skip


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _pixels(value: float) -> str:
    return f"{value:.1f}"
