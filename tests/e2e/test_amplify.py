"""The unmodified Amplify library, which the front end uses, against the whole backend."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from client.api.targets import Target
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.users import Users

_USER = Path(__file__).parent / "amplify" / "user.mjs"


def events_endpoint(target: Target) -> str:
    """Return the endpoint for Amplify.

    Amplify turns `http://` into `wss://`, but compares case-sensitively, so upper case keeps a local server reachable.
    """
    scheme, rest = target.events_http_url.split("://", 1)
    return f"{scheme.upper() if scheme == 'http' else scheme}://{rest}"


async def test_amplify_signs_in_calls_the_api_and_can_subscribe_only_to_its_own_channel(
    environment: TestEnvironment, users: Users
) -> None:
    ada = await users.create("Ada", "Lovelace")
    grace = await users.account("Grace", "Hopper")
    conversation = await ada.chat.open_direct(grace.user_id)
    given = {
        "userPoolId": environment.target.user_pool_id,
        "userPoolClientId": environment.target.client_id,
        "userPoolEndpoint": environment.target.cognito_endpoint,
        "eventsEndpoint": events_endpoint(environment.target),
        "region": environment.target.region,
        "apiUrl": environment.target.api_url,
        "email": grace.email,
        "password": grace.password,
        "other": ada.id,
        "conversationId": conversation.id,
    }
    process = await asyncio.create_subprocess_exec(
        "node", str(_USER), json.dumps(given), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    steps: dict[str, object] = {}
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                step = json.loads(line)
                steps[step["step"]] = step["value"]
                if step["step"] == "subscribed":
                    await conversation.send("hello Amplify")
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (steps, (await process.stderr.read()).decode())
    assert steps == {
        "signed in": True,
        "profile": "Grace Hopper",
        "subscribed": True,
        "received": "hello Amplify",
        "answered": 200,
        "foreign channel": "refused",
        "wildcard": "refused",
        "forged event": "refused",
    }
    await ada.receives(conversation.id, "hello Amplify", "re: hello Amplify")
