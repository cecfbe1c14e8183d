"""The commands of `python -m ops.data`: arguments, confirmations and printed results."""
