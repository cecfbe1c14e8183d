"""Commands for the cut-over from the old Socket.IO server (docs/how-to/migrate-from-socketio.md)."""
