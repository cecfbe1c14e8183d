"""Processes of Python functions: started by a fork server, and shared out in the order of the calls."""
