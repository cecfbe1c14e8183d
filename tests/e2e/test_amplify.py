"""The front end's own library, unmodified, against the whole backend."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from client.api.targets import Target
from tests.e2e.place import People, Place

_USER = Path(__file__).parent / "amplify" / "user.mjs"


def events_endpoint(target: Target) -> str:
    """Return the endpoint as Amplify needs it.

    Amplify turns `http://` into `wss://`, but compares case-sensitively, so upper case keeps a local server reachable.
    """
    scheme, rest = target.events_http_url.split("://", 1)
    return f"{scheme.upper() if scheme == 'http' else scheme}://{rest}"


async def test_amplify_signs_in_calls_the_api_and_listens_and_is_refused_elsewhere(
    place: Place, people: People
) -> None:
    ada = await people.make("Ada", "Lovelace")
    grace = await people.account("Grace", "Hopper")
    conversation = (await ada.api.open_direct(grace.user_id)).conversation
    ada.chat.take(conversation)
    given = {
        "userPoolId": place.target.user_pool_id,
        "userPoolClientId": place.target.client_id,
        "userPoolEndpoint": place.target.cognito_endpoint,
        "eventsEndpoint": events_endpoint(place.target),
        "region": place.target.region,
        "apiUrl": place.target.api_url,
        "email": grace.email,
        "password": grace.password,
        "other": ada.id,
        "conversationId": conversation.conversationId,
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
                said = json.loads(line)
                steps[said["step"]] = said["value"]
                if said["step"] == "subscribed":
                    await ada.chat.send(conversation.conversationId, "hello Amplify")
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
    await ada.gets(conversation.conversationId, "hello Amplify", "re: hello Amplify")
