"""Python client of the chat: HTTP API, AppSync Events subscriptions, and state that stays complete.

`client.chat_client.ChatClient` is the entry point; README.md has an example that a test runs. `client.cli.chat` is a
terminal program built on it. `client.state` holds the rules of what a user sees; it does no input or output, so that
tests can drive it through every order of events.
"""
