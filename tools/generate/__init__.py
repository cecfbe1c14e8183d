"""Writes every generated file of this repository: `python -m tools.generate [--check]`."""
