"""The unmodified Amplify client over https and wss, with the certificate that the service makes."""

from __future__ import annotations

import json
from pathlib import Path

from appsync_events_local.http import tls
from service_harness.standalone import standalone
from service_harness.templates import KEY, api, namespace, write_template

from tests.clients import amplify
from tests.clients.conftest import Node

CLOSED = "import { util } from '@aws-appsync/utils'\nexport function onSubscribe(ctx) { util.unauthorized() }"


async def test_amplify_in_node_connects_over_tls_with_the_given_certificate(tmp_path: Path, node: Node) -> None:
    spaces = {"Api": api(), "Key": KEY, "Open": namespace("open"), "Shut": namespace("moderated", CodeHandlers=CLOSED)}
    trusted = tls.self_signed_in(tmp_path).certificate
    async with standalone("--template", write_template(tmp_path, spaces), "--tls", "--state", tmp_path) as running:
        argument = {
            "endpoint": running.endpoints[0],
            "mode": "apiKey",
            "apiKey": running.keys[0],
            "channel": "/open/amplify",
            "refused": {"publish": "/unknown/x", "subscribe": "/moderated/closed"},
        }
        lines = await node("amplify_node.mjs", json.dumps([argument]), NODE_EXTRA_CA_CERTS=str(trusted))
    amplify.check(json.loads(lines[-1]))
