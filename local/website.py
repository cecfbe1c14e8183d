"""Serves the built web page and its configuration on the loopback address."""

from __future__ import annotations

import argparse
import functools
import http.server
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.demo_users import DemoUser
from local.outputs import CloudOutputs
from local.processes.ports import LOOPBACK
from local.state import write_atomically

CONFIG_PATH = "/config.json"


def web_config(outputs: CloudOutputs, users: Iterable[DemoUser]) -> dict[str, Any]:
    """What the page needs to know, served at `/config.json`.

    Args:
        outputs: addresses and ids of the cloud.
        users: demo users; the page offers to sign in as one of them, which is why it is only served on loopback.
    """
    shown = {name: value for name, value in outputs.as_dict().items() if name not in ("stacks", "awsEndpoint")}
    return {**shown, "demoUsers": [asdict(user) for user in users]}


def front_end_environment(outputs: CloudOutputs) -> str:
    """The front end's environment file: the variable names of the existing application, plus the API's address."""
    variables = {
        "NEXT_PUBLIC_COGNITO_USER_POOL_ID": outputs.userPoolId,
        "NEXT_PUBLIC_COGNITO_CLIENT_ID": outputs.userPoolClientId,
        "NEXT_PUBLIC_COGNITO_ENDPOINT": outputs.userPoolEndpoint,
        "NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT": outputs.amplifyEventsEndpoint,
        "NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT": outputs.eventsRealtimeEndpoint,
        "NEXT_PUBLIC_API_URL": outputs.apiUrl,
        "NEXT_PUBLIC_AWS_REGION": outputs.region,
    }
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def write_front_end_files(root: Path, outputs: CloudOutputs, users: Iterable[DemoUser]) -> None:
    """Write `web-config.json` and `front-end.env` into the state directory."""
    write_atomically(root / "web-config.json", json.dumps(web_config(outputs, users), indent=1), mode=0o600)
    write_atomically(root / "front-end.env", front_end_environment(outputs))


class _PageHandler(http.server.SimpleHTTPRequestHandler):
    """Files of the built page, and `/config.json`; never cached, so that a reload shows a new build."""

    def __init__(self, *arguments: Any, config: Path, **options: Any) -> None:
        self._config = config
        super().__init__(*arguments, **options)

    def translate_path(self, path: str) -> str:
        if path.split("?", 1)[0] == CONFIG_PATH:
            return str(self._config)
        return super().translate_path(path)

    def end_headers(self) -> None:
        self.send_header("cache-control", "no-store")
        self.send_header("x-content-type-options", "nosniff")
        super().end_headers()


def main() -> None:
    """`python -m local.website --port P --page DIR --config FILE`."""
    parser = argparse.ArgumentParser(prog="python -m local.website", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    options = parser.parse_args()
    handler = functools.partial(_PageHandler, directory=str(options.page), config=options.config)
    with http.server.ThreadingHTTPServer((LOOPBACK, options.port), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
