"""Benchmarks: interleaved runs, medians, ratios to a named baseline. Results: docs/reference/performance.md."""
