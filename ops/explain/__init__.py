"""Look-ups for support: what happened to a message or a call, and what holds for a user."""
