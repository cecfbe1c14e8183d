"""The status page at `/_status`: APIs, connections, recent activity and metrics, readable on this machine only."""
