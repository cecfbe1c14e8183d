"""Loads an environment with users who send messages over HTTP and receive them over their own WebSockets."""
