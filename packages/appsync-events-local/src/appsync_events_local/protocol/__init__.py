"""The WebSocket protocol as a state machine, without sockets and without a clock; channels and frames."""
