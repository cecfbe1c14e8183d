"""Monitoring: metrics, the alarms on them, and the dashboard."""
