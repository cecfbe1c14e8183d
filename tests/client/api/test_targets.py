"""A target is read from each of its three forms; a missing value is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client.api import targets
from client.api.targets import Target
from client.errors import TargetError

FRONT_END = """
# written by make outputs
NEXT_PUBLIC_COGNITO_USER_POOL_ID=us-west-2_abc
NEXT_PUBLIC_COGNITO_CLIENT_ID="client"
export NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT=https://x.appsync-api.us-west-2.amazonaws.com/event
NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT=wss://x.appsync-realtime-api.us-west-2.amazonaws.com/event/realtime
NEXT_PUBLIC_API_URL=https://api.example/
"""
EXPECTED = Target(
    api_url="https://api.example",
    events_http_url="https://x.appsync-api.us-west-2.amazonaws.com/event",
    events_realtime_url="wss://x.appsync-realtime-api.us-west-2.amazonaws.com/event/realtime",
    region="us-west-2",
    user_pool_id="us-west-2_abc",
    client_id="client",
)
CDK_OUTPUTS = {
    "PantherKolab-Identity-dev": {"UserPoolId": "us-west-2_abc", "UserPoolClientId": "client"},
    "PantherKolab-Events-dev": {
        "EventsHttpEndpoint": EXPECTED.events_http_url,
        "EventsRealtimeEndpoint": EXPECTED.events_realtime_url,
    },
    "PantherKolab-Routes-dev": {"ApiAddress": "https://api.example"},
}


def test_the_front_ends_environment_file_is_a_target(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    file.write_text(FRONT_END, encoding="utf-8")
    assert targets.read(file) == EXPECTED


def test_the_outputs_of_a_deployment_are_a_target() -> None:
    assert targets.parse(json.dumps(CDK_OUTPUTS), "outputs") == EXPECTED


def test_the_outputs_of_a_local_cloud_are_a_target_and_its_outer_addresses_win() -> None:
    users = [{"email": "ada@example.edu", "given_name": "Ada", "family_name": "Lovelace", "password": "secret-word"}]
    document = {
        "apiUrl": "http://localhost:1/api",
        "userPoolEndpoint": "http://localhost:1",
        "demoUsers": users,
        "stacks": CDK_OUTPUTS,
    }
    target = targets.parse(json.dumps(document), "local")
    assert (target.api_url, target.local, target.cognito_url) == ("http://localhost:1/api", True, "http://localhost:1")
    [ada] = target.demo_users
    assert (ada.email, ada.name, ada.password) == ("ada@example.edu", "Ada Lovelace", "secret-word")
    assert "secret-word" not in repr(target)


def test_a_deployed_target_uses_aws_addresses_and_the_http_host() -> None:
    assert not EXPECTED.local
    assert EXPECTED.cognito_url == "https://cognito-idp.us-west-2.amazonaws.com"
    assert EXPECTED.events.host == "x.appsync-api.us-west-2.amazonaws.com"


@pytest.mark.parametrize("missing", ["UserPoolId", "UserPoolClientId", "EventsHttpEndpoint", "ApiAddress"])
def test_a_missing_value_is_named(missing: str) -> None:
    document = {stack: {k: v for k, v in values.items() if k != missing} for stack, values in CDK_OUTPUTS.items()}
    with pytest.raises(TargetError, match=f"(?i){missing}"):
        targets.parse(json.dumps(document), "outputs")


def test_an_unreadable_file_and_an_unknown_form_are_explained(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot be read"):
        targets.read(tmp_path / "nothing")
    with pytest.raises(TargetError, match="neither JSON nor"):
        targets.parse("{", "file")
