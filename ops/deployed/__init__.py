"""Reads a deployed environment, on AWS or on the local cloud: stacks, resources, metrics and outbox."""
