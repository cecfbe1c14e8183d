"""Fixtures of the conformance suite."""

from service_harness.fixtures import signing_key

__all__ = ["signing_key"]  # made elsewhere
