"""Runs APPSYNC_JS: checks and rewrites the code, runs it in quickjs-ng, and executes DynamoDB request objects."""
