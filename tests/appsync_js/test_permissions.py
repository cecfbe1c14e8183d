"""Every cell of the permission grid that a handler decides, on the handlers as they are deployed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import HandlerRefused, Incoming, Invocation, NamespaceHandlers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appsync_js.permissions import GRID, Caller, Cell, markdown
from appsync_js.render import namespaces
from contract import channels

DECIDED_HERE = [cell for cell in GRID if cell.decided_by == "handler"]
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_example"

Scenario = dict[str, str]


def identity(caller: Caller, user_id: str) -> dict[str, Any] | None:
    if caller == "me":
        return {
            "sub": user_id,
            "username": "someone",
            "issuer": ISSUER,
            "groups": None,
            "claims": {"sub": user_id},
            "sourceIp": ["127.0.0.1"],
            "defaultAuthStrategy": "ALLOW",
        }
    if caller == "iam":
        return {"accountId": "000000000000", "userArn": "arn:aws:sts::000000000000:assumed-role/r/s", "username": "r"}
    return None if caller == "api key" else {"issuer": ISSUER, "claims": {}}


def batch(namespace: str) -> list[Incoming]:
    if namespace != "conversations":
        return [Incoming("1", {"type": "not published here", "data": {}})]
    return [Incoming("1", {"type": "MESSAGE_SENT", "data": {"tempId": "t1", "seq": 1, "content": "hello"}})]


async def attempt(cell: Cell, handlers: NamespaceHandlers, scenario: Scenario) -> None:
    channel = cell.channel.format_map(scenario).rstrip("/")
    invocation = Invocation(identity(cell.caller, scenario["me"]), channel, cell.namespace)
    if cell.operation == "subscribe":
        await handlers.subscribe(invocation)
    else:
        await handlers.publish(invocation, batch(cell.namespace))


@pytest.mark.parametrize("cell", DECIDED_HERE, ids=lambda cell: cell.id)
async def test_handler_answers_a_cell_as_the_grid_says(
    cell: Cell, scenario: Scenario, handlers_of: Callable[[str], NamespaceHandlers]
) -> None:
    """Requirement P2."""
    handlers = handlers_of(cell.namespace)
    if cell.allowed:
        await attempt(cell, handlers, scenario)
        return
    with pytest.raises(HandlerRefused):
        await attempt(cell, handlers, scenario)


@given(
    segments=st.lists(
        st.sampled_from(["ME", "me", "*", "m", "mee", "chats", "x", ""]) | st.text("me*-", max_size=3), max_size=4
    ),
    namespace=st.sampled_from(["chats", "users"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_only_the_own_channel_of_a_user_is_allowed(
    segments: list[str], namespace: str, handlers_of: Callable[[str], NamespaceHandlers]
) -> None:
    """Requirement P2."""
    invocation = Invocation(identity("me", "me"), "/".join(["", namespace, *segments]), namespace)
    try:
        await handlers_of(namespace).subscribe(invocation)
        allowed = True
    except HandlerRefused:
        allowed = False
    assert allowed == (invocation.segments == [namespace, "me"])


def test_the_grid_covers_every_namespace_and_every_namespace_has_handlers() -> None:
    declared = {namespace.name for namespace in channels.NAMESPACES}
    assert {cell.namespace for cell in GRID} - {""} == declared == set(namespaces())


def test_every_namespace_refuses_wildcards_deeper_paths_and_the_bare_namespace() -> None:
    for namespace in namespaces():
        refused = {cell.channel for cell in GRID if cell.namespace == namespace and not cell.allowed}
        assert f"/{namespace}/*" in refused
        assert f"/{namespace}" in refused
        assert any(channel.count("/") > 2 and "*" not in channel for channel in refused)


def test_the_page_shows_every_cell() -> None:
    page = markdown()
    assert all(cell.case in page and cell.channel in page for cell in GRID)
    assert page.count("\n| subscribe |") + page.count("\n| publish |") == len(GRID)
