"""Python client of the chat: HTTP API, AppSync Events socket, and the rules that keep a client's view complete.

`client.chat_client.ChatClient` is the entry point; `client.cli.chat` is a terminal program built on it. The rules that
decide what a user sees (`client.state`) do no input or output, so that tests can drive them through every order of
events.
"""
