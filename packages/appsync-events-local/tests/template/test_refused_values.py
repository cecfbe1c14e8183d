"""Values that AWS refuses at deployment are refused when a template is loaded, with property and remedy."""

import time
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.cli.announcement import Address, announcement
from appsync_events_local.cli.main import main
from appsync_events_local.http.server import SERVICE
from service_harness.running import UserPool, running
from service_harness.templates import OF_API, api, modes, namespace, write_template


async def test_keys_that_have_expired_are_named(tmp_path: Path, pool: UserPool) -> None:
    async with running(tmp_path, pool) as service:
        assert service.app is not None
        served = service.app[SERVICE].apis.values()
        address = Address("localhost:4570", tls=False)
        assert "EXPIRED" not in announcement(served, address, time.time())
        assert "EXPIRED at " in announcement(served, address, time.time() + 8 * 24 * 3600)


@pytest.mark.parametrize(
    ("expires", "problem"),
    [
        (365, "365 is not a time at least 1 day ahead: 1970-01-01"),
        (1_600_000_000, "2020-09-13"),
        ("365", "365 is not a time"),
        (0, "0 is not a time"),
        (9_999_999_999, "valid for 365 days at most"),
        (1_900_000_000_000, "valid for 365 days at most"),
        ("in a year", "must be a number"),
    ],
)
def test_an_expiry_that_aws_refuses_is_refused_with_property_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expires: Any, problem: str
) -> None:
    key = {"Type": "AWS::AppSync::ApiKey", "Properties": {**OF_API, "Expires": expires}}
    file = write_template(tmp_path, {"Api": api(), "Key": key, "Space": namespace()})
    assert main(["--template", str(file), "--port", "0"]) == 2
    printed = capsys.readouterr().err
    assert "Key: Expires: " in printed
    assert problem in printed
    assert "seconds since the epoch" in printed or "must be a number" in printed


def without(path: str) -> dict[str, Any]:
    """An API with a user pool, without one property."""
    providers = [
        {"AuthType": "AMAZON_COGNITO_USER_POOLS", "CognitoConfig": {"UserPoolId": "p", "AwsRegion": "eu-west-1"}}
    ]
    resource = api(
        AuthProviders=providers,
        ConnectionAuthModes=modes("AMAZON_COGNITO_USER_POOLS"),
        DefaultPublishAuthModes=modes("AMAZON_COGNITO_USER_POOLS"),
        DefaultSubscribeAuthModes=modes("AMAZON_COGNITO_USER_POOLS"),
    )
    at = resource["Properties"]
    *outer, last = path.split(".")
    for name in outer:
        at = at[0][name] if isinstance(at, list) else at[name]
    del at[last]
    return resource


@pytest.mark.parametrize(
    ("resources", "problem"),
    [
        ({"Api": without("Name")}, "Api: Name: is missing; AWS requires it"),
        ({"Api": {**api(), "Properties": {**api()["Properties"], "Name": "n" * 51}}}, "must be 1 to 50 letters"),
        ({"Api": {**api(), "Properties": {**api()["Properties"], "Name": "a/b"}}}, "'a/b' must be 1 to 50 letters"),
        (
            {"Api": without("EventConfig.AuthProviders.CognitoConfig.AwsRegion")},
            "Api: EventConfig.AuthProviders[0].CognitoConfig.AwsRegion: is missing",
        ),
        (
            {
                "Api": api(),
                "Table": {
                    "Type": "AWS::AppSync::DataSource",
                    "Properties": {
                        **OF_API,
                        "Name": "table",
                        "Type": "AMAZON_DYNAMODB",
                        "DynamoDBConfig": {"TableName": "t"},
                    },
                },
            },
            "Table: DynamoDBConfig.AwsRegion: is missing",
        ),
    ],
)
def test_a_property_that_aws_requires_is_required(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], resources: dict[str, Any], problem: str
) -> None:
    assert main(["--template", str(write_template(tmp_path, resources)), "--port", "0"]) == 2
    assert problem in capsys.readouterr().err
