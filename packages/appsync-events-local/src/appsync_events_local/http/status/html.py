"""HTML out of text that may be anything: whatever is not marked as HTML is escaped."""

from collections.abc import Iterable, Sequence
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> Html:
    """The value as HTML."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def element(name: str, *content: object, **attributes: str) -> Html:
    """`<name attributes>content</name>`; an attribute's `_` stands for `-`, and one at the end for nothing."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """The parts one after the other."""
    return Html("".join(html(part) for part in parts))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> Html:
    """A table that can be scrolled sideways, or a sentence if it has no rows."""
    lines = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    if not lines:
        return element("p", empty, class_="empty")
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    return element("div", element("table", head, element("tbody", *lines)), class_="scroll")
