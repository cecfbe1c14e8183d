"""The rules of the change report, one module for each severity."""
