"""Fixtures of the conformance suite."""

from tests.events_service.conftest import signing_key

__all__ = ["signing_key"]  # made elsewhere
