"""Rules of text that every client and the backend share: what is blank, how long a text is, where it may be cut.

Lengths count Unicode code points, as `maxLength` of JSON Schema does. `contract/vectors/text.json` has examples that
this module, the page (`web/src/client/state/text.ts`) and the JS handlers are tested with.
"""

from __future__ import annotations

import itertools
import unicodedata
from typing import Final

from contract.limits import PREVIEW_CHARACTERS

BLANK_CHARACTERS: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space: what Python's `isspace` or JavaScript's `trim` count as such."""

# Besides all combining marks: joiners, half-width sound marks, and the vowels AM of Thai and Lao.
_EXTENDING: Final = frozenset("\u200c\u200d\uff9e\uff9f\u0e33\u0eb3")
# The Indic linkers and the prepended signs of Unicode Standard Annex 29 join with what follows them.
_JOINING: Final = frozenset(
    "\u200d\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    "\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
)


def is_blank(text: str | None) -> bool:
    """Return whether a text is absent, empty or only white space."""
    return not text or not text.strip(BLANK_CHARACTERS)


def preview(content: str | None) -> str | None:
    """Return the beginning of a message's content for the conversation list; None for a blank one."""
    if content is None or is_blank(content):
        return None
    return cut(content, PREVIEW_CHARACTERS)


def cut(text: str, most: int) -> str:
    """Return the longest beginning of at most `most` code points that ends between two characters as users see them.

    An emoji of several code points, a flag, or a letter with combining marks is kept whole or left out (Unicode
    Standard Annex 29: grapheme clusters). A single one that is longer than `most` is cut after `most` code points.
    """
    if len(text) <= most:
        return text
    ends = (end for end in range(most, 0, -1) if not _is_inside(text, end))
    return text[: next(ends, most)]


def _is_inside(text: str, at: int) -> bool:
    """Return whether a cut before index `at` would separate code points of one character."""
    left, right = text[at - 1], text[at]
    if _extends(right) or left in _JOINING or left + right == "\r\n":
        return True
    if _is_regional(left) and _is_regional(right):
        return len(list(itertools.takewhile(_is_regional, reversed(text[:at])))) % 2 == 1
    return _joins_hangul(left, right)


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char)[0] == "M"
        or char in _EXTENDING
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _joins_hangul(left: str, right: str) -> bool:
    """Return whether two code points belong to one Hangul syllable (rules GB6 to GB8)."""
    before, after = _hangul(left), _hangul(right)
    return (
        (before == "L" and after in ("L", "V", "LV", "LVT"))
        or (before in ("V", "LV") and after in ("V", "T"))
        or (before in ("T", "LVT") and after == "T")
    )


def _hangul(char: str) -> str:
    if "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c":
        return "L"
    if "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6":
        return "V"
    if "\u11a8" <= char <= "\u11ff" or "\ud7cb" <= char <= "\ud7fb":
        return "T"
    if "\uac00" <= char <= "\ud7a3":
        return "LVT" if (ord(char) - 0xAC00) % 28 else "LV"
    return ""
