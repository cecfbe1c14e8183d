"""The published contract, written from the models in `contract`: `python -m tools.generate [--check]`."""
