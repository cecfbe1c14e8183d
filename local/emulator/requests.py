"""The path of one AWS request through the emulator: permissions, fault switches, the service, durability."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack_app
from ministack.core.router import detect_service, extract_access_key_id, extract_region

from local.emulator.chime import service_model as chime_model
from local.emulator.chime.meetings import Meetings
from local.emulator.faults import Call, FaultRule, FaultSwitches, table_names
from local.emulator.functions import FunctionProcesses
from local.emulator.permissions.guard import PermissionGuard
from local.emulator.permissions.needs import Request
from local.emulator.state.policy import saving_for
from local.emulator.state.store import StateStore
from local.emulator.strict.dynamodb import StrictDynamoDb
from local.emulator.strict.functions.installation import StrictFunctions

_LOGGER = logging.getLogger("local.requests")
_INVOKE_PATH = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations$")

_BRACKETS_READ_BY_EVERY_PARSER = 900
"""Python's JSON parser recurses; with fewer brackets no document is nested too deep for it."""

Headers = dict[str, str]
Response = tuple[int, Headers, Any]


class RequestPath:
    """Stands in front of ministack's dispatcher of AWS requests."""

    def __init__(
        self,
        store: StateStore,
        guard: PermissionGuard,
        faults: FaultSwitches,
        processes: FunctionProcesses,
        meetings: Meetings,
        strict: StrictDynamoDb,
        functions: StrictFunctions,
    ) -> None:
        self._store = store
        self._guard = guard
        self._faults = faults
        self._processes = processes
        self._meetings = meetings
        self._strict = strict
        self._functions = functions

    def install(self) -> None:
        """Wrap the dispatcher."""
        dispatch = ministack_app._dispatch_service_request

        async def dispatch_with_care(
            method: str, path: str, headers: Headers, body: bytes, query: dict[str, list[str]], request_id: str
        ) -> Response:
            service = detect_service(method, path, headers, query)
            operation = operation_name(service, method, path, headers, body, query)
            request = Request(service, operation, method, path, headers, body, query, extract_region(headers, query))
            refusal = self._guard.refusal(extract_access_key_id(headers, query) or "", request)
            if refusal is not None:
                return refusal
            if (service, operation) == ("lambda", "Invoke") and (reason := self._functions.refusal(headers, body)):
                return error_response(service, 413, "RequestTooLargeException", reason)
            rule = self._strike(service, operation, headers, body, query)
            if rule is not None:
                if rule.effect == "vanish" and rule.when == "before":
                    self._vanish(method, path, query, b"")
                early = await self._before(rule, service, headers)
                if early is not None:
                    return early
            if _is_nested_too_deep(headers, body):
                return error_response(service, 400, "SerializationException", "the request body is nested too deep")

            async def serve(content: bytes) -> Response:
                served: Response = await dispatch(method, path, headers, content, query, request_id)
                return served

            response = await (self._strict.around(operation, body, serve) if service == "dynamodb" else serve(body))
            if response[0] < 400:
                self._store.after_request(service, saving_for(service, operation, method))
            if rule is not None and rule.when == "after":
                if rule.effect == "vanish":
                    self._vanish(method, path, query, response[2])
                return self._corrupted(rule, service, headers) or response
            return response

        ministack_app._dispatch_service_request = dispatch_with_care

    def _strike(
        self, service: str, operation: str, headers: Headers, body: bytes, query: dict[str, list[str]]
    ) -> FaultRule | None:
        if not self._faults.active or (service, operation) == ("lambda", "Invoke"):
            return None
        function = self._processes.function_of(extract_access_key_id(headers, query) or "")
        table = table_names(body) if service == "dynamodb" else None
        rule = self._faults.strike(Call(service, operation, function, table))
        if rule is not None:
            _LOGGER.warning(
                "fault: %s %s %s %s called by %s", rule.effect, rule.when, service, operation, function or "a client"
            )
        return rule

    async def _before(self, rule: FaultRule, service: str, headers: Headers) -> Response | None:
        if rule.delay_ms:
            await asyncio.sleep(rule.delay_ms / 1000)
        if rule.when == "after":
            return None
        return self._corrupted(rule, service, headers)

    def _corrupted(self, rule: FaultRule, service: str, headers: Headers) -> Response | None:
        if rule.effect in ("delay", "vanish"):
            return None
        if rule.effect == "kill" and not self._processes.kill(headers.get("user-agent", "")):
            _LOGGER.warning("fault: no function process made this call, so none was killed")
        status, code = rule.error(service)
        return error_response(service, status, code)

    def _vanish(self, method: str, path: str, query: dict[str, list[str]], answer: bytes) -> None:
        """Lose the meeting that a request names, or that its answer made."""
        found = chime_model.route(method, path, query)
        named = found.path_parameters.get("MeetingId") if found is not None else None
        made = json.loads(answer).get("Meeting", {}).get("MeetingId") if answer else None
        if meeting_id := named or made:
            self._meetings.vanish(meeting_id)
            self._store.save_now("chime")


def _is_nested_too_deep(headers: Headers, body: bytes) -> bool:
    if "json" not in headers.get("content-type", ""):
        return False
    if body.count(b"[") + body.count(b"{") < _BRACKETS_READ_BY_EVERY_PARSER:
        return False
    try:
        json.loads(body)
    except RecursionError:
        return True
    except ValueError:
        return False  # the service says what is wrong with it
    return False


def operation_name(
    service: str, method: str, path: str, headers: Headers, body: bytes, query: dict[str, list[str]]
) -> str:
    """The API operation of a request; an empty text for REST requests other than Lambda's Invoke and Chime's."""
    if service == "chime":
        found = chime_model.route(method, path, query)
        return found.operation if found is not None else ""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    if "Action" in query:
        return query["Action"][0]
    if method == "POST" and "x-www-form-urlencoded" in headers.get("content-type", ""):
        return parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    return "Invoke" if _INVOKE_PATH.match(path) else ""


def error_response(service: str, status: int, code: str, message: str | None = None) -> Response:
    """An error that the AWS SDKs read, in the JSON protocols' form (and the header that REST ones look at)."""
    request_id = str(uuid.uuid4())
    message = message or f"fault switch: {code}"
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": message, "Message": message})
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-ErrorType": code,
        "x-amzn-requestid": request_id,
        "x-amz-request-id": request_id,
    }
    return status, headers, body.encode()
