"""Runs APPSYNC_JS: checks and rewrites handler code, and runs it in quickjs-ng."""
