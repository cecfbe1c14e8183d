"""Rules of strict mode that a test switches off."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from local.emulator.strict.rules.rule import Rule
from tests.local.conftest import EmulatorProcess


class SwitchedOff:
    """Switches rules off for the duration of a block.

    Args:
        emulator: where.
        rules: which.
    """

    def __init__(self, emulator: EmulatorProcess, rules: Iterable[Rule]) -> None:
        self._emulator = emulator
        self._switches = {_on_the_wire(rule.field): False for rule in rules}

    def __enter__(self) -> None:
        self._emulator.faults.set_strict(self._switches)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._emulator.faults.set_strict({})


def _on_the_wire(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(each.title() for each in others)
