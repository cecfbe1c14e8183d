"""The aiohttp application: HTTP publish, WebSocket connections, control API, AWS control plane, status page."""
