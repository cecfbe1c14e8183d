"""Deploys an environment: checks, change report, confirmation, one change set per stack, smoke test."""
