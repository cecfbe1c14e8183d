"""A route: POST /api/messages/pin."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, before, edit, new
from tests.contributing.recipe import Recipe

_REQUEST: Final = '''class PinMessage(Request):
    """Pin a message."""

    messageId: Id


'''
_RESPONSE: Final = '''

class Pinned(Success):
    """The message that is pinned now."""

    messageId: str
'''
_ROUTE: Final = """    Route(
        "messages",
        "pinMessage",
        "POST",
        "/api/messages/pin",
        "Pin a message.",
        requests.PinMessage,
        responses.Pinned,
    ),
"""
_USE_CASE: Final = '''"""Pins messages."""

from __future__ import annotations

from contract.requests import PinMessage
from contract.responses import Pinned


def pin(request: PinMessage) -> Pinned:
    """Pin a message."""
    return Pinned(messageId=request.messageId)
'''
_OPERATION: Final = """    def pin_message(api: ApiRequest[PinMessage]) -> Pinned:
        return pin(api.request)

"""
_METHOD: Final = '''    async def pin_message(self, message_id: str) -> responses.Pinned:
        """Pin a message."""
        return await self._request("pinMessage", requests.PinMessage(messageId=message_id), responses.Pinned)

'''
_TEST: Final = '''"""Pinned messages."""

from handlers.entry import messages


def test_pinned_message_is_returned() -> None:
    assert "pinMessage" in messages.operations(lambda: None)
'''
_SNAPSHOT: Final = """  HttpPinMessage00000000:
    Properties:
      OperationName: pinMessage
      RouteKey: POST /api/messages/pin
    Type: AWS::ApiGatewayV2::Route
"""

_BELOW_IMPORTS: Final = "@cache\ndef _use_cases() -> MessageOperations:\n"

RECIPE: Final = Recipe(
    "A route",
    (
        edit(
            "contract/requests.py",
            "module 'contract.requests' has no attribute 'PinMessage'",
            before("class EmptyRequest(Request):\n", _REQUEST),
        ),
        edit(
            "contract/responses.py",
            "module 'contract.responses' has no attribute 'Pinned'",
            append(_RESPONSE),
        ),
        edit(
            "contract/routes.py",
            "add the operation to handlers/entry/messages.py, or the route: messages: routes and operations differ in "
            "['pinMessage']",
            before("    *CALL_ROUTES,\n", _ROUTE),
        ),
        new("handlers/core/messages/pin.py", "No module named 'handlers.core.messages.pin'", _USE_CASE),
        edit(
            "handlers/entry/messages.py",
            "handlers/entry/messages.py and contract/routes.py differ; add the operation to handlers/entry/messages.py",
            before(_BELOW_IMPORTS, "from contract.requests import PinMessage\n"),
            before(_BELOW_IMPORTS, "from contract.responses import Pinned\n"),
            before(_BELOW_IMPORTS, "from handlers.core.messages.pin import pin\n\n"),
            before("    table: dict[str, Operation] = {\n", _OPERATION),
            after("    table: dict[str, Operation] = {\n", '        "pinMessage": pin_message,\n'),
        ),
        new("tests/handlers/messages/test_pin.py", "no test in tests/handlers calls: pinMessage", _TEST),
        edit(
            "client/api/messages_api.py",
            "client/api has no method for: pinMessage",
            before("    async def edit_message(", _METHOD),
        ),
        edit(
            "tests/client/api/test_http_api.py",
            "REQUESTS in tests/client/api/test_http_api.py lacks: pinMessage",
            after(
                "REQUESTS: dict[str, Callable[[HttpApi], Awaitable[object]]] = {\n",
                '    "pinMessage": lambda api: api.pin_message("m"),\n',
            ),
        ),
        edit(
            "tests/snapshots/*/Routes.yaml",
            "lacks the route POST /api/messages/pin; run: make snapshots",
            after("\nResources:\n", _SNAPSHOT),
        ),
    ),
)
