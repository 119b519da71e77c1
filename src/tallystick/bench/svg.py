"""Plots as SVG text: lines over a scale, and bars. Nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 44
"""Room around the plot for its labels."""
HUES = 6
"""How many colours the style sheet has: classes `c0` to `c5`."""


@dataclass(frozen=True)
class Line:
    """One line of a plot."""

    name: str
    """What it is, for the key of the plot."""
    points: Sequence[tuple[float, float]]
    """Across and up."""


@dataclass(frozen=True)
class Axes:
    """What the two directions mean."""

    across: str
    """What is plotted from left to right."""
    up: str
    """What is plotted upwards."""
    is_log: bool = False
    """Whether steps to the right are powers of ten."""
    marks: Sequence[tuple[float, str]] = field(default=())
    """Places across that are named; none: round numbers are."""


def number(value: float) -> str:
    """A number that people can read: 1,234,567 or 12.3."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def short(value: float) -> str:
    """A large round number in few letters: 10k, 1M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:g}"


def ticks(top: float) -> list[float]:
    """Round numbers from 0 up to at least `top`, about five of them."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / 5
    unit = 10.0 ** floor(log10(raw))
    step = next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= raw)
    return [step * place for place in range(ceil(top / step - 1e-9) + 1)]


def lines(axes: Axes, plotted: Sequence[Line]) -> str:
    """Lines over a scale; upwards it begins at 0."""
    xs = [x for line in plotted for x, _ in line.points]
    up = ticks(max((y for line in plotted for _, y in line.points), default=1.0))
    x_at = _across(min(xs, default=1.0), max(xs, default=2.0), axes.is_log)
    y_at = _upwards(up[-1])
    parts = [*_grid(up, y_at), *_names(axes)]
    for x, name in axes.marks or [(x, short(x)) for x in _round_places(xs)]:
        parts.append(_text(x_at(x), HEIGHT - BOTTOM + 18, name, "middle"))
    for place, line in enumerate(plotted):
        dots = [(x_at(x), y_at(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        hue = f"c{place % HUES}"
        parts.append(f'<polyline class="line {hue}" points="{path}"/>')
        if len(dots) <= 12:
            for (x, y), (_, value) in zip(dots, line.points, strict=True):
                title = f"<title>{escape(line.name)}: {number(value)}</title>"
                parts.append(f'<circle class="dot {hue}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">')
                parts.append(f"{title}</circle>")
    return _figure(parts, [line.name for line in plotted])


def bars(axes: Axes, names: Sequence[str], plotted: Sequence[Line]) -> str:
    """Groups of bars, one group for each name; points' heights in the order of the names."""
    up = ticks(max((y for line in plotted for _, y in line.points), default=1.0))
    y_at = _upwards(up[-1])
    room = (WIDTH - LEFT - RIGHT) / max(1, len(names))
    wide = room * 0.8 / max(1, len(plotted))
    parts = [*_grid(up, y_at), *_names(axes)]
    for place, name in enumerate(names):
        middle = LEFT + room * (place + 0.5)
        parts.append(_text(middle, HEIGHT - BOTTOM + 18, name, "middle"))
    for which, line in enumerate(plotted):
        for place, (_, value) in enumerate(line.points):
            x = LEFT + room * (place + 0.1) + wide * which
            y = y_at(value)
            told = f"<title>{escape(line.name)}, {escape(names[place])}: {number(value)}</title>"
            parts.append(
                f'<rect class="bar c{which % HUES}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}"'
                f' height="{HEIGHT - BOTTOM - y:.1f}">{told}</rect>'
            )
    return _figure(parts, [line.name for line in plotted])


def _across(low: float, high: float, is_log: bool) -> Callable[[float], float]:
    """From a value to its place from the left."""
    scale = log10 if is_log else float
    start, end = scale(low), scale(high)
    span = (end - start) or 1.0
    return lambda x: LEFT + (scale(x) - start) / span * (WIDTH - LEFT - RIGHT)


def _upwards(high: float) -> Callable[[float], float]:
    """From a value to its place from the top."""
    return lambda y: HEIGHT - BOTTOM - y / high * (HEIGHT - TOP - BOTTOM)


def _round_places(xs: Sequence[float]) -> list[float]:
    """Some of the values, evenly."""
    known = sorted(set(xs))
    return known[:: max(1, ceil(len(known) / 8))]


def _grid(up: Sequence[float], y_at: Callable[[float], float]) -> list[str]:
    """Lines from left to right at round numbers."""
    parts = []
    for value in up:
        y = y_at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}"')
        parts.append(f' y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 8, y + 4, number(value), "end"))
    return parts


def _names(axes: Axes) -> list[str]:
    """What the axes mean."""
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    turned = f'transform="rotate(-90 14 {middle:.0f})"'
    return [
        _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 6, axes.across, "middle", "name"),
        (
            f'<text class="name" x="14" y="{middle:.0f}" text-anchor="middle" {turned}>'
            f"{escape(axes.up)}</text>"
        ),
    ]


def _text(x: float, y: float, words: str, anchor: str, style: str = "tick") -> str:
    """Words at a place."""
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _figure(parts: Sequence[str], names: Sequence[str]) -> str:
    """The picture, and the key to its colours below it."""
    key = "".join(
        f'<span><i class="c{place % HUES}"></i>{escape(name)}</span>'
        for place, name in enumerate(names)
        if len(names) > 1
    )
    picture = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'
    return f'<div class="plot">{picture}<p class="key">{key}</p></div>'
