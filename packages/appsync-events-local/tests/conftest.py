"""The fixtures of the Events service's tests."""

from service_harness.fixtures import dynamodb, dynamodb_endpoint, evaluate, load, other_key, pool, service, signing_key

__all__ = ["dynamodb", "dynamodb_endpoint", "evaluate", "load", "other_key", "pool", "service", "signing_key"]
