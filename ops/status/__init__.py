"""The state of a deployed environment on one screen: `python -m ops.status --env NAME`."""
