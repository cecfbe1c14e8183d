"""Asks AWS what only AWS can answer, and runs the end-to-end suite: `python -m ops.verify --env NAME`."""
