"""Builds HTML; escapes every text that is not marked as HTML."""

from collections.abc import Iterable, Sequence
from html import escape


class Html(str):
    """Text that is HTML, and is not escaped again."""

    __slots__ = ()


def html(value: object) -> Html:
    """Return the value as HTML, escaped unless it is `Html`."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def element(name: str, *content: object, **attributes: str) -> Html:
    """Return `<name attributes>content</name>`; `_` in an attribute's name becomes `-`, and is removed at the end."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Return the concatenated parts."""
    return Html("".join(html(part) for part in parts))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> Html:
    """Return a horizontally scrollable table, or the sentence `empty` if it has no rows."""
    lines = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    if not lines:
        return element("p", empty, class_="empty")
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    return element("div", element("table", head, element("tbody", *lines)), class_="scroll")
