"""The running Events service that is fuzzed."""

from service_harness.fixtures import other_key, pool, service, signing_key

__all__ = ["other_key", "pool", "service", "signing_key"]
