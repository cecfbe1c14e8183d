"""An environment whose clients answer with recorded responses of AWS, checked against botocore's service models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.stub import Stubber

from ops.verify.deployment import Deployment, HttpResponse, SuiteRecord
from stacks.config.load import load

ACCOUNT = "111122223333"
OUTPUTS = {
    "PantherKolab-Events-dev": {
        "EventsApiId": "api1",
        "EventsHttpEndpoint": "https://e.example.edu/event",
    }
}


@dataclass
class Records:
    """What the end-to-end suite observed."""

    by_assumption: Mapping[str, list[SuiteRecord]] = field(default_factory=dict)

    def of(self, assumption: str) -> list[SuiteRecord]:
        return self.by_assumption.get(assumption, [])


class RecordedAws:
    """The clients of an account: every response must be expected, in its order for each service."""

    def __init__(self) -> None:
        self._stubbers: dict[str, Stubber] = {}
        self.pauses: list[float] = []
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.response = HttpResponse(200, {})
        self.records = Records()

    def stub(self, service: str) -> Stubber:
        """Return the stubber of a service, by any credentials."""
        if service not in self._stubbers:
            client = botocore.session.get_session().create_client(
                service, region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="S"
            )
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]

    def answers(self, service: str, operation: str, response: Mapping[str, Any] | None = None, **expected: Any) -> None:
        """Expect a request and answer it; `expected` are parameters that it must have, if any are given."""
        self.stub(service).add_response(operation, dict(response or {}), expected or None)

    def refuses(self, service: str, operation: str, code: str, message: str = "refused") -> None:
        """Expect a request and refuse it."""
        self.stub(service).add_client_error(operation, code, message)

    def _client(self, service: str) -> Any:
        return self.stub(service).client

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpResponse:
        self.requests.append((method, url, headers))
        return self.response

    def deployment(self, pause: Callable[[float], None] | None = None) -> Deployment:
        """Return the environment dev in this account."""
        return Deployment(
            environment=load("dev"),
            outputs=OUTPUTS,
            region="us-east-1",
            api_url="https://api.example.edu",
            local=False,
            make_client=self._client,
            make_client_as=lambda service, keys: self._client(service),
            suite=self.records,
            request=self._request,
            pause=pause or self.pauses.append,
        )

    def check(self) -> None:
        """Check that every expected request was made."""
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()
