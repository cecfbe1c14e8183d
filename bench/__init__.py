"""Benchmarks: interleaved runs, medians, and ratios against a named baseline. docs/performance.md holds the figures."""
