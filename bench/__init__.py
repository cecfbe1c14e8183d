"""Benchmarks: interleaved runs, medians, and ratios to a named baseline. docs/performance.md has the results."""
