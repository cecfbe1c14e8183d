"""Interleaved measurements: each subject runs once per round, in turn, so that a slow minute affects all of them."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The repository."""


@dataclass(frozen=True)
class Result:
    """The figures of one subject, in the unit of its benchmark."""

    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Comparison:
    """The subjects of one benchmark; the first is the baseline."""

    title: str
    unit: str
    results: tuple[Result, ...]

    def ratio(self, name: str) -> float:
        """Return the median, over the rounds, of subject ÷ baseline within the same round."""
        baseline = self.results[0].values
        subject = next(result for result in self.results if result.name == name)
        return statistics.median(value / base for value, base in zip(subject.values, baseline, strict=True))

    def lines(self) -> list[str]:
        """Return a table: minimum, median, maximum and ratio to the baseline."""
        width = max(len(result.name) for result in self.results)
        rows = [f"{self.title} ({self.unit}, {len(self.results[0].values)} interleaved rounds)"]
        rows.append(f"  {'':{width}}  {'min':>9} {'median':>9} {'max':>9}   ratio")
        for result in self.results:
            ratio = "baseline" if result is self.results[0] else f"{self.ratio(result.name):.2f} x"
            low, high = min(result.values), max(result.values)
            rows.append(f"  {result.name:{width}}  {low:9.2f} {result.median:9.2f} {high:9.2f}   {ratio}")
        return rows


def compare(
    title: str, unit: str, subjects: Mapping[str, Callable[[], float]], *, rounds: int, warmup: int = 1
) -> Comparison:
    """Run all subjects in turn, round after round.

    Args:
        title, unit: for the table.
        subjects: name to a function that runs the subject once and returns its figure; the first is the baseline.
        rounds: counted rounds.
        warmup: rounds run first and not counted.

    Returns:
        The figures of the counted rounds.
    """
    values: dict[str, list[float]] = {name: [] for name in subjects}
    for index in range(-warmup, rounds):
        for name, run in subjects.items():
            value = run()
            if index >= 0:
                values[name].append(value)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{title}: round {max(index + 1, 0)} of {rounds} ")
            sys.stderr.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return Comparison(title, unit, tuple(Result(name, tuple(got)) for name, got in values.items()))


def seconds(run: Callable[[], object]) -> float:
    """Return the wall clock seconds of a call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
