"""The published contract, written from the models in `handlers.core.contract`: `python -m ops.contract [--check]`."""
