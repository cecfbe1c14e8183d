"""The WebSocket side of the client: one connection, its reconnection, subscriptions and streams."""
