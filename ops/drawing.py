"""Line plots as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDTH: Final = 760
_HEIGHT: Final = 300
_LEFT: Final = 70
_RIGHT: Final = 180
_TOP: Final = 40
_BOTTOM: Final = 45
_COLOURS: Final = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")

Point = tuple[float, float]


def drawing(title: str, panels: Sequence[str]) -> str:
    """Return an SVG document of panels, one below the other."""
    height = _HEIGHT * len(panels)
    body = "\n".join(f'<g transform="translate(0 {number * _HEIGHT})">{each}</g>' for number, each in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12">\n<title>{escape(title)}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n'
        "</svg>\n"
    )


def panel(
    title: str, series: Mapping[str, list[Point]], labels: Mapping[float, str], *, logarithmic: bool = False
) -> str:
    """Return a panel of lines with a grid and a legend.

    Args:
        title: stands above it.
        series: the points of each line, by its name in the legend.
        labels: texts below the horizontal axis, by their place.
        logarithmic: whether the vertical axis is, from 1 on.
    """
    values = [y for points in series.values() for _, y in points]
    places = [x for points in series.values() for x, _ in points]
    left, right = min(places, default=0.0), max(places, default=1.0)
    low, top = (1.0, max(10.0, *values)) if logarithmic else (0.0, max(1.0, *values))

    def x(value: float) -> float:
        return _LEFT + (value - left) / ((right - left) or 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        share = math.log10(max(value, low) / low) / math.log10(top / low) if logarithmic else value / top
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>']
    for tick in _ticks(top, logarithmic=logarithmic):
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#dddddd"/>'
            f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for place, label in labels.items():
        parts.append(f'<text x="{x(place):.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{escape(label)}</text>')
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number]
        line = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        row = _TOP + 16 * number
        parts.append(
            f'<rect x="{_WIDTH - _RIGHT + 14}" y="{row}" width="12" height="12" fill="{colour}"/>'
            f'<text x="{_WIDTH - _RIGHT + 32}" y="{row + 10}">{escape(name)}</text>'
        )
    return "\n".join(parts)


def _ticks(top: float, *, logarithmic: bool) -> list[float]:
    if logarithmic:
        return [10.0**power for power in range(math.ceil(math.log10(top)) + 1) if 10.0**power <= top]
    step = 10 ** math.floor(math.log10(top))
    step = step if top / step >= 3 else step / 4
    return [step * number for number in range(int(top / step) + 1)]
