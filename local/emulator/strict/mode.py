"""The rules that are on at present."""

from __future__ import annotations

from collections.abc import Callable

from local.emulator.strict.rules import StrictRules


class StrictMode:
    """Holds the rules, and passes every change on to the parts that keep a state of their own.

    Attributes:
        rules: which are on.
    """

    def __init__(self, rules: StrictRules) -> None:
        self.rules = rules
        self._followers: list[Callable[[StrictRules], None]] = []

    def follow(self, follower: Callable[[StrictRules], None]) -> None:
        """Call a function with the rules whenever they are replaced."""
        self._followers.append(follower)

    def use(self, rules: StrictRules) -> None:
        """Replace the rules."""
        self.rules = rules
        for follower in self._followers:
            follower(rules)
