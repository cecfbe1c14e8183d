"""The service asks the configured permissions endpoint before an operation of an IAM signer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from service_harness.running import (
    ACCOUNT,
    API,
    REGION,
    SIGNER,
    TOKEN,
    Running,
    UserPool,
    on_port,
    running,
    signed_headers,
)

NAMESPACE = f"arn:aws:appsync:{REGION}:{ACCOUNT}:apis/{API}/channelNamespace/open"
BODY = json.dumps({"channel": "/open/a", "events": ["1"]})


@dataclass
class Decisions:
    """A fake permissions endpoint that answers with one decision and records the requests."""

    decision: str = "allowed"
    status: int = 200
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["x-local-control"] == TOKEN
        self.requests.append(await request.json())
        return web.json_response({"decision": self.decision}, status=self.status)


@pytest.fixture
def decisions() -> Decisions:
    return Decisions()


@pytest.fixture
async def service(tmp_path: Path, pool: UserPool, decisions: Decisions) -> AsyncIterator[Running]:
    app = web.Application()
    app.router.add_post("/decision", decisions.answer)
    async with on_port(app) as url, running(tmp_path, pool, permissions_url=f"{url}/decision") as started:
        yield started


async def publish(service: Running) -> tuple[int, dict[str, Any]]:
    return await service.post_raw(BODY.encode(), signed_headers(service.event_url, BODY))


async def test_allowed_signer_publishes_and_the_decision_is_cached(service: Running, decisions: Decisions) -> None:
    for _ in range(3):
        status, answer = await publish(service)
        assert (status, len(answer["successful"])) == (200, 1)
    arn = f"arn:aws:iam::{ACCOUNT}:user/{SIGNER.access_key}"
    assert decisions.requests == [{"principalArn": arn, "action": "appsync:EventPublish", "resource": NAMESPACE}]


@pytest.mark.parametrize("decision", ["not allowed", "denied"])
async def test_signer_that_is_not_allowed_is_refused_and_the_refusal_is_not_cached(
    service: Running, decisions: Decisions, decision: str
) -> None:
    decisions.decision = decision
    for _ in range(2):
        status, answer = await publish(service)
        (error,) = answer["errors"]
        assert (status, error["errorType"]) == (403, "AccessDeniedException")
        assert error["message"].endswith(f"not authorized to perform: appsync:EventPublish on resource: {NAMESPACE}")
    assert len(decisions.requests) == 2
    decisions.decision = "allowed"
    assert (await publish(service))[0] == 200


async def test_connect_and_subscribe_need_separate_permissions(service: Running, decisions: Decisions) -> None:
    url = service.event_url
    socket = await service.connect(signed_headers(url, "{}"))
    frame = json.dumps({"channel": "/open/a"}, separators=(",", ":"))
    await socket.ask(type="subscribe", id="s", channel="/open/a", authorization=signed_headers(url, frame))
    asked = [(each["action"], each["resource"]) for each in decisions.requests]
    api = NAMESPACE.partition("/channelNamespace")[0]
    assert asked == [("appsync:EventConnect", api), ("appsync:EventSubscribe", NAMESPACE)]


async def test_users_and_api_keys_need_no_iam_permission(service: Running, decisions: Decisions) -> None:
    assert (await service.post("/open/a", "1"))[0] == 200
    assert decisions.requests == []


async def test_publish_fails_while_permissions_cannot_be_checked(service: Running, decisions: Decisions) -> None:
    decisions.status = 500
    status, answer = await publish(service)
    assert (status, answer["errors"][0]["errorType"]) == (500, "InternalFailureException")
