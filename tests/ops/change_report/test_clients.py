"""What the change report says about two versions of the contract's documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.change_report.comparison import Comparison, Revision
from ops.change_report.report import find
from ops.change_report.rules.clients import api_changes, event_changes

GENERATED = Path(__file__).parents[3] / "contract" / "generated"
OPENAPI: dict[str, Any] = json.loads((GENERATED / "openapi.json").read_text("utf-8"))
ASYNCAPI: dict[str, Any] = json.loads((GENERATED / "asyncapi.json").read_text("utf-8"))
Edit = Callable[[dict[str, Any]], object]


def _send(api: dict[str, Any]) -> dict[str, Any]:
    schema = api["paths"]["/api/messages/send"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _sent(api: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api["components"]["schemas"]["Sent"]
    return found


API_CHANGES: list[tuple[str, Edit, str]] = [
    ("route", lambda api: api["paths"].pop("/api/messages/typing"), "The route POST /api/messages/typing is gone"),
    ("required field", lambda api: _send(api)["required"].append("mediaId"), "body.mediaId is required"),
    ("field", lambda api: _send(api)["properties"].pop("content"), "body.content is gone"),
    ("length", lambda api: _send(api)["properties"]["conversationId"].update(maxLength=3), "maxLength 3"),
    ("answer", lambda api: _sent(api)["properties"].pop("message"), "answer.message is gone"),
    ("status", lambda api: api["paths"]["/api/messages/send"]["post"]["responses"].pop("200"), "no longer answers 200"),
]


@pytest.mark.parametrize(("edit", "expected"), [pytest.param(*rest, id=name) for name, *rest in API_CHANGES])
def test_stricter_request_or_weaker_answer_breaks_clients(edit: Edit, expected: str) -> None:
    after = copy.deepcopy(OPENAPI)
    edit(after)
    assert any(expected in finding.what for finding in api_changes(OPENAPI, after))


def test_additions_to_the_api_break_no_client() -> None:
    after = copy.deepcopy(OPENAPI)
    after["paths"]["/api/new"] = copy.deepcopy(after["paths"]["/api/messages/send"])
    _send(after)["properties"]["new"] = {"type": "string"}
    _sent(after)["properties"]["new"] = {"type": "string"}
    assert list(api_changes(OPENAPI, after)) == []
    assert list(api_changes(OPENAPI, OPENAPI)) == []


EVENT_CHANGES: list[tuple[str, Edit, str]] = [
    ("channel", lambda events: events["channels"].pop("chats"), "The channel /chats/{userId} is gone"),
    (
        "address",
        lambda events: events["channels"]["chats"].update(address="/chats/{userId}/x"),
        "The channel /chats/{userId} is now /chats/{userId}/x",
    ),
    (
        "event",
        lambda events: events["channels"]["chats"]["messages"].pop("MessageSent"),
        "MessageSent is no longer published on /chats/{userId}",
    ),
]


@pytest.mark.parametrize(("edit", "expected"), [pytest.param(*rest, id=name) for name, *rest in EVENT_CHANGES])
def test_missing_channel_or_event_breaks_clients(edit: Edit, expected: str) -> None:
    after = copy.deepcopy(ASYNCAPI)
    edit(after)
    assert any(expected in finding.what for finding in event_changes(ASYNCAPI, after))
    assert list(event_changes(ASYNCAPI, ASYNCAPI)) == []


def test_missing_field_of_an_event_breaks_clients() -> None:
    after = copy.deepcopy(ASYNCAPI)
    del after["components"]["schemas"]["SentMessage"]["properties"]["seq"]
    assert any("MessageSent.data.seq is gone" in finding.what for finding in event_changes(ASYNCAPI, after))


def test_documents_of_both_checkouts_are_compared(tmp_path: Path) -> None:
    sides = []
    for side in ("before", "after"):
        directory = tmp_path / side / "contract" / "generated"
        directory.mkdir(parents=True)
        document = copy.deepcopy(OPENAPI)
        if side == "after":
            document["paths"].pop("/api/messages/typing")
        (directory / "openapi.json").write_text(json.dumps(document), "utf-8")
        sides.append(Revision({}, tmp_path / side))
    (found,) = find(Comparison(*sides))
    assert found.rule == "clients.route-removed"
