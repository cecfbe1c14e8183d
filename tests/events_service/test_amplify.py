"""The unmodified Amplify client of the repository's lock file, in Node, with every mode that is served."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.events_service.harness import SESSION_SIGNER, Running

CLIENT = Path(__file__).with_name("amplify_client.mjs")
NODE = str(Path(sys.executable).with_name("node"))
"""The Node that the locked requirements bring into the interpreter's own folder."""


async def run(service: Running, mode: str) -> dict[str, Any]:
    arguments = {
        # Amplify turns `http://` into `wss://`; in capital letters it leaves the scheme alone.
        "endpoint": f"HTTP://{service.host}/event",
        "mode": mode,
        "apiKey": service.key,
        "accessToken": service.pool.token(),
        "credentials": {
            "accessKeyId": SESSION_SIGNER.access_key,
            "secretAccessKey": SESSION_SIGNER.secret_key,
            "sessionToken": SESSION_SIGNER.token,
        },
        "channel": "/open/amplify",
        "forbidden": "/unknown/x",
    }
    process = await asyncio.create_subprocess_exec(
        NODE, str(CLIENT), json.dumps(arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    result: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return result


@pytest.mark.parametrize("mode", ["apiKey", "userPool", "iam"])
async def test_amplify_subscribes_and_publishes_over_both_transports(service: Running, mode: str) -> None:
    result = await run(service, mode)
    assert sorted(result["received"], key=json.dumps) == [
        {"over": "http", "n": 1},
        {"over": "http", "n": 2},
        {"over": "socket", "text": "ü€😀"},
    ]
    assert result["refused"]
