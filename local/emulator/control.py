"""`/_local/...`: health, fault switches and state of the emulator, for the local cloud and its tests."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.emulator.chime import control as chime_control
from local.emulator.chime.installation import ChimeInstallation
from local.emulator.faults import FaultRuleError, FaultSwitches
from local.emulator.permissions.guard import PermissionGuard
from local.emulator.permissions.needs import Need
from local.emulator.server_errors import ServerErrors
from local.emulator.state.store import StateStore
from local.emulator.strict.mode import StrictMode
from local.emulator.strict.rules import as_document, parse_rules

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_HEADER = b"x-local-control"
_MAX_BODY_BYTES = 1024 * 1024


class ControlPlane:
    """An ASGI application in front of ministack's own.

    * `GET /_local/health` (no token): 200 once requests are answered.
    * `GET|PUT|DELETE /_local/faults`: the list of fault rules.
    * `GET|PUT /_local/strict`: which rules of strict mode are on; PUT replaces them, absent fields get their defaults.
    * `POST /_local/checkpoint`: save everything now; 409 while a stack operation runs.
    * `GET /_local/server-errors`: every response of 500 and above with the faults of that time.
    * `/_local/chime/...`: see `local.emulator.chime.control`.
    * `GET /_local/permissions`: what every role grants, and what of it was used or refused.
    * `POST /_local/permissions/decision`, body `{"principalArn", "action", "resource"}`: whether a principal may do it,
      for a service outside this process; recorded like a request.
    """

    def __init__(
        self,
        application: Application,
        token: str,
        store: StateStore,
        faults: FaultSwitches,
        chime: ChimeInstallation,
        guard: PermissionGuard,
        strict: StrictMode,
        server_errors: ServerErrors,
    ) -> None:
        self._application = application
        self._token = token.encode()
        self._store = store
        self._faults = faults
        self._chime = chime
        self._guard = guard
        self._strict = strict
        self._server_errors = server_errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer our own paths, pass on everything else."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, self._starting_background_work(send))
            return
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if not scope["path"].startswith("/_local/"):
            await self._server_errors.serve(self._application, scope, receive, send)
            return
        status, answer = await self._answer(scope, receive)
        body = json.dumps(answer).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": body})

    def _starting_background_work(self, send: Send) -> Send:
        async def send_and_start(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._store.start()
                self._chime.start()
            await send(message)

        return send_and_start

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, Any]:
        path, method = scope["path"], scope["method"]
        if path == "/_local/health" and method == "GET":
            return 200, {"status": "ok"}
        given = dict(scope["headers"]).get(TOKEN_HEADER, b"")
        if not hmac.compare_digest(given, self._token):
            return 401, _error("the header x-local-control must carry the control token of this state directory")
        if path == "/_local/faults":
            return await self._answer_faults(method, receive)
        if path == "/_local/strict":
            return await self._answer_strict(method, receive)
        if path == "/_local/checkpoint" and method == "POST":
            return self._checkpoint()
        if path == "/_local/server-errors" and method == "GET":
            return 200, self._server_errors.listed()
        if path == "/_local/permissions" and method == "GET":
            return 200, self._guard.state()
        if path == "/_local/permissions/decision" and method == "POST":
            return self._decide(await _body(receive))
        if path.startswith(chime_control.PREFIX):
            return self._chime.control.answer(method, path, await _body(receive))
        return 404, _error(f"{method} {path} is not known here")

    async def _answer_faults(self, method: str, receive: Receive) -> tuple[int, Any]:
        if method == "PUT":
            try:
                self._faults.replace(json.loads(await _body(receive)))
            except (ValueError, FaultRuleError) as error:
                return 400, _error(str(error))
        elif method == "DELETE":
            self._faults.replace([])
        elif method != "GET":
            return 405, _error("GET, PUT and DELETE are allowed")
        return 200, {"rules": self._faults.listed()}

    async def _answer_strict(self, method: str, receive: Receive) -> tuple[int, Any]:
        if method == "PUT":
            try:
                self._strict.use(parse_rules(json.loads(await _body(receive))))
            except ValueError as error:
                return 400, _error(str(error))
        elif method != "GET":
            return 405, _error("GET and PUT are allowed")
        return 200, as_document(self._strict.rules)

    def _decide(self, body: bytes) -> tuple[int, Any]:
        try:
            asked = json.loads(body)
            principal, need = str(asked["principalArn"]), Need(str(asked["action"]), str(asked["resource"]))
        except (ValueError, KeyError, TypeError):
            return 400, _error('expected {"principalArn", "action", "resource"}')
        return 200, {"decision": self._guard.decide_for(principal, need)}

    def _checkpoint(self) -> tuple[int, Any]:
        if self._store.stack_operation_runs():
            return 409, _error("a stack operation is running; try again when it is over")
        self._store.make_generation()
        return 200, {"status": "saved"}


async def _body(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += bytes(message.get("body", b""))
        if len(content) > _MAX_BODY_BYTES:
            raise FaultRuleError("the body is larger than 1 MB")
        if not message.get("more_body"):
            return content


def _error(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}]}
