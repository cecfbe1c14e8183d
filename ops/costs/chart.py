"""A chart of estimates as SVG: for each profile the share of each service."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from ops.costs.estimate import Estimate

_COLOURS: Final = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb8844", "#999999", "#222255")
_WIDTH: Final = 720
_BAR: Final = 30
_LABEL: Final = 150
_VALUE: Final = 110


def chart(estimates: Mapping[str, Estimate]) -> str:
    """Return the chart.

    Args:
        estimates: the estimates by the title of their profile; each bar is the whole of one.
    """
    services = sorted({service for each in estimates.values() for service in each.by_service})
    colours = {service: _COLOURS[number % len(_COLOURS)] for number, service in enumerate(services)}
    rows = [
        _row(title, each, 20 + number * (_BAR + 14), colours) for number, (title, each) in enumerate(estimates.items())
    ]
    top = 30 + len(estimates) * (_BAR + 14)
    legend = [
        f'<rect x="{20 + column * 170}" y="{top + line * 22}" width="14" height="14" fill="{colours[service]}"/>'
        f'<text x="{40 + column * 170}" y="{top + 12 + line * 22}">{escape(service)}</text>'
        for number, service in enumerate(services)
        for line, column in [divmod(number, 4)]
    ]
    height = top + 22 * (len(services) // 4 + 1) + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
            ' font-family="sans-serif" font-size="13">',
            "<title>Share of each service in the monthly costs</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *rows,
            *legend,
            "</svg>\n",
        ]
    )


def _row(title: str, estimate: Estimate, top: int, colours: Mapping[str, str]) -> str:
    width = _WIDTH - _LABEL - _VALUE
    left, parts = float(_LABEL), []
    for service, dollars in estimate.by_service.items():
        share = width * dollars / estimate.total if estimate.total else 0
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{share:.1f}" height="{_BAR}" fill="{colours[service]}">'
            f"<title>{escape(service)}: {dollars:,.2f} $</title></rect>"
        )
        left += share
    label = f'<text x="{_LABEL - 10}" y="{top + 20}" text-anchor="end">{escape(title)}</text>'
    total = f'<text x="{_WIDTH - _VALUE + 10}" y="{top + 20}">{estimate.total:,.2f} $</text>'
    return "\n".join([label, *parts, total])
