"""The published OpenAPI document and the routes agree: which requests are valid, and which responses follow (P10)."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest

from contract.routes import ROUTES
from handlers.core.shared.errors import NotFoundError
from handlers.entry.http import ApiRequest, Handler, route_handler
from tests.fuzz.contract_requests import ContractRequests, Generated
from tests.harness.emulator import create_resources, running_emulator
from tests.harness.functions import FunctionHarness
from tests.harness.http import Response, all_active, http_event
from tools.generate import openapi

ACCEPTED: Final = 404
"""What the operations of the first test answer, so that a refusal of the request shows."""
RULES: Final = {
    "sendMessage": {"content", "mediaUrl", "fileName", "fileSize", "duration"},
    "editMessage": {"content"},
    "markRead": {"seq"},
    "getHistory": {"before", "cursor", "beforeSeq", "afterSeq", "afterChange"},
    "listConversations": {"cursor"},
    "openDirect": {"userId"},
    "createGroup": {"name", "memberIds"},
    "updateGroup": {"name"},
    "updateMe": {"firstName"},
    "searchUsers": {"q"},
    "blockUser": {"userId"},
    "unblockUser": {"userId"},
}
"""Fields that rules beyond a JSON Schema may refuse; the descriptions of the operations state these rules."""


def respond(handlers: dict[str, Handler], domains: dict[str, str], request: Generated, caller: str) -> Response:
    event = http_event(
        f"{request.method} {request.route}", caller, request.body, path=request.path, query=request.query
    )
    return Response.of(handlers[domains[request.operation]](event, None))


def _accept(request: ApiRequest[Any]) -> Any:
    raise NotFoundError("accepted")


@pytest.fixture(scope="module")
def domains() -> dict[str, str]:
    return {route.operation: route.domain for route in ROUTES}


def test_routes_accept_exactly_the_requests_that_the_document_allows(
    fuzz_count: int, fuzz_seed: int, domains: dict[str, str]
) -> None:
    handlers = {
        domain: route_handler(domain, {name: _accept for name, at in domains.items() if at == domain}, all_active)
        for domain in set(domains.values())
    }
    seen: Counter[tuple[bool, int]] = Counter()
    findings = []
    for request in itertools.islice(ContractRequests(openapi.document(), Random(fuzz_seed)), fuzz_count):
        response = respond(handlers, domains, request, "me")
        seen[request.is_valid, response.status] += 1
        if (response.status == ACCEPTED) is not request.is_valid or response.status not in (ACCEPTED, 400):
            findings.append((request, response.status, response.body))
    assert findings == []
    assert seen[True, ACCEPTED] > fuzz_count // 4
    assert seen[False, 400] > fuzz_count // 20


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionHarness]:
    with running_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield FunctionHarness(create_resources(emulator))


def test_every_response_is_documented(
    fuzz_count: int, fuzz_seed: int, domains: dict[str, str], functions: FunctionHarness
) -> None:
    """The real functions, with requests of an existing user that name this user's own conversation and message."""
    names = existing(functions)
    generated = ContractRequests(openapi.document(), Random(fuzz_seed))
    served = (request for request in generated if domains[request.operation] in functions.handlers)
    statuses: Counter[int] = Counter()
    findings = []
    for number, request in enumerate(itertools.islice(served, fuzz_count // 8)):
        if number % 2:
            name_existing(request, names)
        response = respond(functions.handlers, domains, request, names["me"])
        statuses[response.status] += 1
        is_rule = request.operation in RULES and response.body.get("error", {}).get("field") in RULES[request.operation]
        if (
            not generated.is_valid_response(request.operation, response.status, response.body)
            or (not request.is_valid and response.status < 400)
            or (request.is_valid and response.status == 400 and not is_rule)
            or response.status >= 500
        ):
            findings.append((request, response.status, response.body))
        functions.advance(1)
    assert findings == []
    assert statuses[200] > fuzz_count // 80, statuses


def existing(functions: FunctionHarness) -> dict[str, str]:
    ada, grace = functions.users(2)
    opened = functions.call_ok(ada, "openDirect", {"userId": grace})["conversation"]
    group = functions.call_ok(ada, "createGroup", {"name": "Group", "memberIds": [grace]})["conversation"]
    sent = functions.send_ok(ada, opened["conversationId"])
    return {
        "me": ada,
        "conversationId": opened["conversationId"],
        "messageId": sent["messageId"],
        "userId": grace,
        "group": group["conversationId"],
    }


def name_existing(request: Generated, names: dict[str, str]) -> None:
    """Replace the ids of a valid request by those of what exists."""
    if not request.is_valid:
        return
    is_group = "/members" in request.route or request.route.endswith("/leave") or request.operation == "updateGroup"
    ids = {**names, "conversationId": names["group"]} if is_group else names
    request.path.update({name: ids[name] for name in request.path if name in ids})
    request.query.update({name: ids[name] for name in request.query if name in ids})
    if request.body is not None:
        body = json.loads(request.body)
        body.update({name: ids[name] for name in body if name in ids and body[name] is not None})
        request.body = json.dumps(body)
