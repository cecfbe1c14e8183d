"""The HTTP API: one method for each route."""

from __future__ import annotations

from client.api.calls_api import CallsApi
from client.api.conversations_api import ConversationsApi
from client.api.messages_api import MessagesApi
from client.api.users_api import UsersApi


class HttpApi(MessagesApi, ConversationsApi, UsersApi, CallsApi):
    """Every route, as one signed-in user calls it. Each method raises a subclass of ApiError, or UnreachableError.

    Arguments are snake_case; these methods alone translate them to the names of the wire. Responses are the models of
    `contract`.
    """
