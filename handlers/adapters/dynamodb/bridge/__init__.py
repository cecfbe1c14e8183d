"""The stores of the bridge to the old Socket.IO server."""
