"""Operator commands: diff, deploy, outputs and verify."""
