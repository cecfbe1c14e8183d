"""Metrics, log, and the recent activity of each API."""
