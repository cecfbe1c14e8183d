"""Access control of every environment: tokens, channels, CORS, roles and wildcards."""

from __future__ import annotations

import json
import re

import pytest

from contract.channels import NAMESPACES
from contract.routes import ROUTES
from stacks.policy.permissions import CALLS_HANDLER, CONVERSATIONS_HANDLER, FUNCTIONS
from tests.stacks.synthesis import ALL, allow_statements, as_list, properties, readable, resources, settings_of

MEETINGS = "arn:${AWS::Partition}:chime:*:${AWS::AccountId}:meeting/*"
"""Chime chooses the ids of meetings, and their ARNs may or may not contain a region."""
every_variant = pytest.mark.parametrize("variant", ALL)


@every_variant
def test_users_connect_and_subscribe_and_functions_publish(variant: str) -> None:
    users, functions = [{"AuthType": "AMAZON_COGNITO_USER_POOLS"}], [{"AuthType": "AWS_IAM"}]
    (api,) = properties(variant, "AWS::AppSync::Api")
    config = api["EventConfig"]
    assert config["ConnectionAuthModes"] == users
    assert config["DefaultSubscribeAuthModes"] == users
    assert config["DefaultPublishAuthModes"] == functions
    assert [provider["AuthType"] for provider in config["AuthProviders"]] == ["AMAZON_COGNITO_USER_POOLS", "AWS_IAM"]
    namespaces = {each["Name"]: each for each in properties(variant, "AWS::AppSync::ChannelNamespace")}
    direct = settings_of(variant).events.direct_messaging
    assert set(namespaces) == {each.name for each in NAMESPACES if direct or not each.optional}
    for name, namespace in namespaces.items():
        assert namespace["SubscribeAuthModes"] == users
        assert namespace["PublishAuthModes"] == (users if name == "conversations" else functions)
        assert "export " in namespace["CodeHandlers"]
        assert "__" not in re.sub(r"//.*", "", namespace["CodeHandlers"])


@every_variant
def test_only_tokens_of_the_configured_app_clients_are_accepted(variant: str) -> None:
    identity = settings_of(variant).identity
    (api,) = properties(variant, "AWS::AppSync::Api")
    (authorizer,) = properties(variant, "AWS::ApiGatewayV2::Authorizer")
    cognito = readable(api["EventConfig"]["AuthProviders"][0]["CognitoConfig"])
    jwt = readable(authorizer["JwtConfiguration"])
    if identity.source == "import":
        assert cognito["AppIdClientRegex"] == f"^({'|'.join(identity.client_ids)})$"
        assert jwt["Audience"] == list(identity.client_ids)
        assert jwt["Issuer"] == f"https://cognito-idp.eu-west-1.amazonaws.com/{identity.pool_id}"
    else:
        clients = r"\$\{import [\w:-]*UserPoolClient[\w:-]*\}"
        if settings_of(variant).canary.enabled:
            clients += r"\|\$\{import [\w:-]*UserPoolCanaryClient[\w:-]*\}"
        assert re.fullmatch(rf"\^\({clients}\)\$", cognito["AppIdClientRegex"])
        assert len(jwt["Audience"]) == (2 if settings_of(variant).canary.enabled else 1)
        assert jwt["Issuer"].startswith("https://cognito-idp.${AWS::Region}.amazonaws.com/${import ")


@every_variant
def test_api_has_exactly_the_routes_of_the_contract_and_each_requires_a_token(variant: str) -> None:
    routes = properties(variant, "AWS::ApiGatewayV2::Route")
    assert sorted(route["RouteKey"] for route in routes) == sorted(route.key for route in ROUTES)
    assert {route["AuthorizationType"] for route in routes} == {"JWT"}
    assert len({json.dumps(route["AuthorizerId"]) for route in routes}) == 1


@every_variant
def test_cors_allows_the_configured_origins_only(variant: str) -> None:
    (api,) = properties(variant, "AWS::ApiGatewayV2::Api")
    cors = api["CorsConfiguration"]
    assert cors["AllowOrigins"] == list(settings_of(variant).web.origins)
    assert cors["AllowHeaders"] == ["authorization", "content-type", "x-correlation-id"]
    assert "*" not in json.dumps(cors)
    assert not cors.get("AllowCredentials")


@every_variant
def test_no_role_has_an_action_wildcard_or_may_scan(variant: str) -> None:
    for name, statement in allow_statements(variant):
        for action in as_list(statement["Action"]):
            assert re.fullmatch(r"[a-z]+:[A-Za-z]+", action), f"{name}: {action}"
            assert action != "dynamodb:Scan"


@every_variant
def test_wildcard_resources_are_log_streams_stream_listing_meetings_and_backups_only(variant: str) -> None:
    for name, statement in allow_statements(variant):
        for resource in as_list(readable(statement["Resource"])):
            is_log = resource.endswith(":log-stream:*") and set(as_list(statement["Action"])) == {
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            }
            lists_streams = resource == "*" and statement["Action"] == "dynamodb:ListStreams"
            services = {action.partition(":")[0] for action in as_list(statement["Action"])}
            is_meeting = resource == MEETINGS and services == {"chime"}
            is_backup = resource.endswith("/backup/*") and of_backups(name)
            assert is_log or lists_streams or is_meeting or is_backup or "*" not in resource, f"{name}: {resource}"


@every_variant
def test_table_permissions_of_roles_are_exactly_the_declared_ones(variant: str) -> None:
    environment = settings_of(variant).name
    granted: dict[tuple[str, str], set[str]] = {}
    for name, statement in allow_statements(variant):
        for resource in as_list(readable(statement["Resource"])):
            if ":table/" in resource and not of_backups(name):
                actions = {action.removeprefix("dynamodb:") for action in as_list(statement["Action"])}
                granted.setdefault((_owner(variant, name), resource.rpartition("table/")[2]), set()).update(actions)
    assert granted == _expected_permissions(variant, environment)


def _expected_permissions(variant: str, environment: str) -> dict[tuple[str, str], set[str]]:
    settings = settings_of(variant)
    expected = {}
    for function, permissions in FUNCTIONS.items():
        if function == "profile" and settings.identity.source == "import":
            continue
        if function == "bridge" and not settings.cutover.bridge:
            continue
        expected |= {(function, table.name(environment)): set(acts) for table, acts in permissions.tables.items()}
        expected |= {
            (function, f"{table.name(environment)}/index/{index.name}"): {"Query"}
            for table, index in permissions.indexes
        }
    expected |= {("calls handler", table.name(environment)): set(acts) for table, acts in CALLS_HANDLER.items()}
    if settings.events.direct_messaging:
        expected |= {
            ("conversations handler", table.name(environment)): set(acts)
            for table, acts in CONVERSATIONS_HANDLER.items()
        }
    return expected


def _owner(variant: str, role: str) -> str:
    description = str(readable(resources(variant)[role]["Properties"]["Description"]))
    if "namespace calls" in description:
        return "calls handler"
    if "namespace conversations" in description:
        return "conversations handler"
    return description.split("-")[1]


@every_variant
def test_only_the_functions_of_calls_have_chime_permissions(variant: str) -> None:
    granted = {
        _owner(variant, name): (set(as_list(statement["Action"])), as_list(readable(statement["Resource"])))
        for name, statement in allow_statements(variant)
        if any(action.startswith("chime:") for action in as_list(statement["Action"]))
    }
    assert granted == {
        function: ({f"chime:{action}" for action in permissions.meetings}, [MEETINGS])
        for function, permissions in FUNCTIONS.items()
        if permissions.meetings
    }
    assert set(granted) == {"calls", "ring_timeout", "chime_events", "call_sweep"}


def of_backups(name: str) -> bool:
    """Return whether a role or policy is of AWS Backup; tests/stacks/test_backups.py tests what it may do."""
    return name.startswith("Data/Backups")


@every_variant
def test_each_role_of_a_function_or_data_source_trusts_lambda_or_appsync_only(variant: str) -> None:
    roles = resources(variant, "AWS::IAM::Role").items()
    for role in (each["Properties"] for name, each in roles if not of_backups(name)):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] in ({"Service": "lambda.amazonaws.com"}, {"Service": "appsync.amazonaws.com"})
        assert "ManagedPolicyArns" not in role


@every_variant
def test_functions_may_publish_to_their_declared_namespaces_only(variant: str) -> None:
    for name, statement in allow_statements(variant):
        if statement["Action"] == "appsync:EventPublish":
            function = _owner(variant, name)
            targets = {arn.rpartition("/")[2] for arn in as_list(readable(statement["Resource"]))}
            assert targets == {namespace.name for namespace in FUNCTIONS[function].publish}


@every_variant
def test_functions_can_be_invoked_by_aws_services_with_a_source_arn_only(variant: str) -> None:
    assert not resources(variant, "AWS::Lambda::Url")
    for permission in properties(variant, "AWS::Lambda::Permission"):
        assert permission["Principal"].endswith(".amazonaws.com")
        assert "SourceArn" in permission
