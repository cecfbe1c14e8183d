"""Checks a deployed environment and names the cause of a fault: `python -m ops.doctor --env NAME`."""
