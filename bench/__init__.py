"""Benchmarks: interleaved runs, medians, and ratios to a named baseline. docs/reference/performance.md has the results."""
