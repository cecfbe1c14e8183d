"""Reads of Event APIs at the emulator's endpoint, answered by the service that serves them.

ministack has Event APIs of its own under the same paths; ours are none of them, so that an SDK that is pointed at the
emulator must be answered by the Events service. GraphQL APIs share `/v1/apis` and stay ministack's.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from ministack import app as ministack_app

from local.emulator.providers.control_client import ControlClient, ControlError

CHANGES = "Event APIs are made by deploying a template (AWS::AppSync::Api), not by calls of the control plane"
_EVENT_APIS = re.compile(r"/v2/apis(?:/[^/]+(?:/channelNamespaces(?:/[^/]+)?)?)?")
_SHARED = re.compile(r"/v1/apis/[^/]+/(?:apikeys|datasources(?:/[^/]+)?)")

Headers = dict[str, str]
Response = tuple[int, Headers, Any]


class EventApiReads:
    """Stands in front of ministack's dispatcher of AWS requests.

    Args:
        control: calls the Events service.
    """

    def __init__(self, control: ControlClient) -> None:
        self._control = control

    def install(self) -> None:
        """Wrap the dispatcher."""
        dispatch = ministack_app._dispatch_service_request

        async def dispatch_with_reads(
            method: str, path: str, headers: Headers, body: bytes, query: dict[str, list[str]], request_id: str
        ) -> Response:
            appsync = "/appsync/aws4_request" in headers.get("authorization", "")
            if appsync and method != "GET" and path.startswith("/v2/apis"):
                return _answer(400, "BadRequestException", CHANGES)
            if appsync and method == "GET" and _EVENT_APIS.fullmatch(path):
                return await self._read(path, query)
            if appsync and method == "GET" and _SHARED.fullmatch(path):
                answer = await self._read(path, query)
                if answer[0] != 404:
                    return answer
            response: Response = await dispatch(method, path, headers, body, query, request_id)
            return response

        ministack_app._dispatch_service_request = dispatch_with_reads

    async def _read(self, path: str, query: dict[str, list[str]]) -> Response:
        try:
            return await asyncio.to_thread(self._control.read, path, query)
        except ControlError as error:
            return _answer(500, "InternalFailureException", str(error))


def _answer(status: int, kind: str, message: str) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind}
    return status, headers, json.dumps({"message": message}).encode()
