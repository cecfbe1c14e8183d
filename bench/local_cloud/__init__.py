"""Benchmarks of the whole backend, on a local cloud."""
