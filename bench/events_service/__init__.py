"""Benchmarks of the Events service (appsync-events-local), in a process of its own."""
