"""The routes that the canary calls, over HTTP with a new connection for each request, as a client that has just opened
the application.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from contract.routes import ROUTES
from handlers.adapters.canary.sockets import connect
from handlers.core.canary.ports import CanaryError, ChatRoutes, Session

SECONDS: Final = 10.0
"""Time limit of connecting, and of each read of a response."""
_ROUTES: Final = {route.operation: route for route in ROUTES}
_SHOWN_BYTES: Final = 300


class HttpChatRoutes(ChatRoutes):
    """Calls the HTTP API.

    Args:
        address: the address of the API, without a path.
        seconds: time limit of connecting and of each read.
    """

    def __init__(self, address: str, seconds: float = SECONDS) -> None:
        self._url = urlsplit(address)
        self._seconds = seconds

    def newest_messages(self, session: Session, conversation_id: str) -> list[str]:
        page = self._request(session, "getHistory", conversationId=conversation_id)
        return [str(message["messageId"]) for message in page["messages"]]

    def send(self, session: Session, conversation_id: str, temp_id: str, content: str) -> str:
        body = {"conversationId": conversation_id, "tempId": temp_id, "content": content}
        return str(self._request(session, "sendMessage", body)["messageId"])

    def initiate_call(self, session: Session, group_id: str, temp_id: str) -> str:
        body = {"conversationId": group_id, "tempId": temp_id, "mediaType": "AUDIO"}
        return str(self._request(session, "initiateCall", body)["sessionId"])

    def cancel_call(self, session: Session, session_id: str) -> None:
        self._request(session, "cancelCall", {"sessionId": session_id})

    def _request(
        self, session: Session, operation: str, body: Mapping[str, Any] | None = None, **path: str
    ) -> dict[str, Any]:
        """Call a route and return the body of its response.

        Raises:
            CanaryError: the status is not one of success, or there is no response.
        """
        route = _ROUTES[operation]
        headers = {"authorization": f"Bearer {session.access_token}", "content-type": "application/json"}
        connection = http.client.HTTPConnection(self._url.netloc, timeout=self._seconds)
        try:
            connection.sock = connect(self._url, self._seconds)
            content = None if body is None else msgspec.json.encode(body)
            connection.request(route.method, route.path.format(**path), content, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise CanaryError(f"{route.key}: no response: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if response.status >= http.client.MULTIPLE_CHOICES:
            raise CanaryError(f"{route.key}: status {response.status}: {answer[:_SHOWN_BYTES]!r}")
        try:
            return msgspec.json.decode(answer, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise CanaryError(f"{route.key}: the response is not a JSON object: {error}") from error
