"""Edits of files: the parts of a change that a recipe makes in a copied tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Change = Callable[[str], str]


class AnchorError(ValueError):
    """The text at which an edit is made does not occur exactly once: the file has changed since the recipe was."""


@dataclass(frozen=True)
class Edit:
    """The change of one file, or of every file that a glob pattern matches.

    Attributes:
        path: path below the repository; may be a glob pattern.
        says: text that the check of the page prints when this edit is forgotten.
        change: returns the new text of a file; gets an empty text for a new file.
    """

    path: str
    says: str
    change: Change


def edit(path: str, says: str, *changes: Change) -> Edit:
    """Return the edit of existing files by several changes, made in order."""

    def change(text: str) -> str:
        for each in changes:
            text = each(text)
        return text

    return Edit(path, says, change)


def new(path: str, says: str, text: str) -> Edit:
    """Return the edit that creates a file."""
    return Edit(path, says, lambda _: text)


def replace(old: str, by: str) -> Change:
    """Replace a text that occurs once."""

    def change(text: str) -> str:
        if text.count(old) != 1:
            raise AnchorError(f"the text must occur once, but occurs {text.count(old)} times: {old!r}")
        return text.replace(old, by)

    return change


def after(anchor: str, added: str) -> Change:
    """Add text behind a text that occurs once."""
    return replace(anchor, anchor + added)


def before(anchor: str, added: str) -> Change:
    """Add text in front of a text that occurs once."""
    return replace(anchor, added + anchor)


def append(added: str) -> Change:
    """Add text at the end."""
    return lambda text: text + added
