"""Checks of the HTTP API: routes, authorizer, CORS, stage, and what it answers without a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from contract.routes import ROUTES
from ops.deployed.values import differences
from ops.doctor.check import Check
from ops.doctor.examination import Examination, different, missing
from ops.doctor.finding import Finding, NotTriedError
from ops.doctor.web import NoAnswerError, fetch
from stacks import outputs

READ_ROUTE: Final = next(route for route in ROUTES if route.operation == "listConversations")
"""The route that the doctor reads: it changes nothing."""
_UNAUTHORIZED: Final = 401


def _api_id(examination: Examination) -> str:
    found = examination.target.output(outputs.API_ID) or next(
        (each.physical_id for each in examination.target.deployed.resources("AWS::ApiGatewayV2::Api")), None
    )
    if found is None:
        raise NotTriedError("no deployed stack has an HTTP API")
    return found


def _exists(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::ApiGatewayV2::Api"):
        if examination.find("apigatewayv2", "get_api", ApiId=resource.physical_id) is None:
            yield missing(resource, resource.physical_id)


def _items(examination: Examination, operation: str) -> list[Any]:
    return examination.target.read_all("apigatewayv2", operation, "Items", ApiId=_api_id(examination))


def _routes(examination: Examination) -> Iterator[Finding]:
    found = {each["RouteKey"]: each for each in _items(examination, "get_routes")}
    for resource in examination.resources("AWS::ApiGatewayV2::Route"):
        key, kind = resource.properties["RouteKey"], resource.properties.get("AuthorizationType")
        if key not in found:
            yield missing(resource, key)
        elif found[key].get("AuthorizationType") != kind:
            yield Finding(f"the route {key} has the authorization {found[key].get('AuthorizationType')}, not {kind}")


def _integrations(examination: Examination) -> Iterator[Finding]:
    found = {each.get("IntegrationUri") for each in _items(examination, "get_integrations")}
    for resource in examination.resources("AWS::ApiGatewayV2::Integration"):
        if (uri := resource.properties["IntegrationUri"]) not in found:
            yield Finding(f"no integration invokes {str(uri).rsplit(':', 1)[-1]}")


def _authorizer(examination: Examination) -> Iterator[Finding]:
    found = {each["Name"]: each for each in _items(examination, "get_authorizers")}
    for resource in examination.resources("AWS::ApiGatewayV2::Authorizer"):
        name = resource.properties["Name"]
        if name not in found:
            yield missing(resource, name)
            continue
        keys = ("AuthorizerType", "IdentitySource", "JwtConfiguration")
        yield from different(
            f"authorizer {name}", differences({key: resource.properties[key] for key in keys}, found[name])
        )


def allowed_origins(examination: Examination) -> list[str]:
    """Return the origins of the environment; on a local cloud with the port of its page."""
    origins = list(examination.target.environment.web.origins)
    if examination.target.local is None:
        return origins
    port = urlsplit(examination.target.local["webUrl"]).port
    return [re.sub(r":\d+$", f":{port}", origin) for origin in origins]


def _cors(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::ApiGatewayV2::Api"):
        found = examination.target.read("apigatewayv2", "get_api", ApiId=resource.physical_id)
        expected = {**resource.properties["CorsConfiguration"], "AllowOrigins": allowed_origins(examination)}
        yield from different("CORS of the HTTP API", differences(expected, found.get("CorsConfiguration") or {}))


def _bucket_cors(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::S3::Bucket"):
        expected = resource.properties.get("CorsConfiguration", {}).get("CorsRules")
        if expected is None:
            continue
        answer = examination.find("s3", "get_bucket_cors", Bucket=resource.physical_id) or {}
        origins = sorted(origin for rule in expected for origin in rule["AllowedOrigins"])
        actual = sorted(origin for rule in answer.get("CORSRules", []) for origin in rule["AllowedOrigins"])
        if origins != actual:
            yield Finding(f"the bucket {resource.physical_id} allows the origins {actual or 'none'}, not {origins}")


def _origin(examination: Examination) -> Iterator[Finding]:
    origin = examination.question.origin
    if origin is None:
        raise NotTriedError("no origin was given (--origin ORIGIN)")
    allowed = allowed_origins(examination)
    if origin not in allowed:
        hint = "; an origin has no path and no slash at the end" if urlsplit(origin).path else ""
        yield Finding(f"{origin} is none of the allowed origins {', '.join(allowed)}{hint}")


def _stage(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::ApiGatewayV2::Stage"):
        name = resource.properties["StageName"]
        found = examination.find("apigatewayv2", "get_stage", ApiId=_api_id(examination), StageName=name)
        if found is None:
            yield missing(resource, name)
        elif not found.get("AutoDeploy"):
            yield Finding(f"the stage {name} does not deploy changes of routes (AutoDeploy)")


def _throttling(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::ApiGatewayV2::Stage"):
        name = resource.properties["StageName"]
        found = examination.find("apigatewayv2", "get_stage", ApiId=_api_id(examination), StageName=name)
        if found is not None:
            keys = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
            expected = {key: resource.properties["DefaultRouteSettings"][key] for key in keys}
            actual = found.get("DefaultRouteSettings") or {}
            if {key: float(value) for key, value in expected.items()} != {
                key: float(actual.get(key, 0)) for key in keys
            }:
                yield Finding(f"the stage {name} allows {actual}, not {expected}")


def api_url(examination: Examination) -> str:
    """Return the address of the HTTP API.

    Raises:
        NotTriedError: the stack Routes has no such output.
    """
    found = examination.target.address(outputs.API_ADDRESS, "apiUrl")
    if found is None:
        raise NotTriedError("the stack Routes has no output ApiAddress")
    return found


def _responds(examination: Examination) -> Iterator[Finding]:
    for token in (None, "not-a-token"):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        what = "without a token" if token is None else "with a malformed token"
        try:
            answer = fetch("GET", api_url(examination) + READ_ROUTE.path, headers)
        except NoAnswerError as error:
            yield Finding(str(error))
            return
        if answer.status != _UNAUTHORIZED:
            yield Finding(f"a request {what} gets {answer.status}, not {_UNAUTHORIZED}")


def _preflight(examination: Examination) -> Iterator[Finding]:
    for origin in allowed_origins(examination):
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        }
        answer = fetch("OPTIONS", api_url(examination) + READ_ROUTE.path, headers)
        if answer.headers.get("access-control-allow-origin") not in (origin, "*"):
            yield Finding(f"the preflight request of a page from {origin} is not allowed ({answer.status})")


_REVERT: Final = "Deploy with `npx cdk deploy -c env={env} Routes --revert-drift`."
_ORIGINS: Final = "Correct web.origins in environments/{env}.toml, then `make deploy ENV={env}`."

CHECKS: Final = (
    Check(
        id="D801",
        title="The HTTP API exists",
        looks_at="API Gateway GetApi",
        cause="It was deleted; every request fails.",
        remedy="Deploy it: `make deploy ENV={env}`. A new API has another address: `make outputs ENV={env}`.",
        run=_exists,
        needs=("D201",),
    ),
    Check(
        id="D802",
        title="Every route exists and requires a token",
        looks_at="API Gateway GetRoutes",
        cause="A route was deleted (404), or its authorizer taken off (the function refuses with 401 or fails).",
        remedy=_REVERT,
        run=_routes,
        needs=("D801",),
    ),
    Check(
        id="D803",
        title="The routes invoke their functions",
        looks_at="API Gateway GetIntegrations",
        cause="An integration was deleted or names another function; its routes respond with 500.",
        remedy=_REVERT,
        run=_integrations,
        needs=("D801",),
    ),
    Check(
        id="D804",
        title="The authorizer accepts tokens of the user pool and its app client",
        looks_at="API Gateway GetAuthorizers: issuer and audience",
        cause="The authorizer names another pool or app client; every request with a valid token gets 401.",
        remedy=_REVERT,
        run=_authorizer,
        needs=("D801",),
    ),
    Check(
        id="D805",
        title="CORS of the HTTP API allows the environment's origins",
        looks_at="API Gateway GetApi: CorsConfiguration",
        cause="It was changed by hand; browsers of other origins see network failures instead of responses.",
        remedy=_REVERT,
        run=_cors,
        needs=("D801",),
    ),
    Check(
        id="D806",
        title="CORS of the buckets allows the environment's origins",
        looks_at="S3 GetBucketCors of each bucket of the stacks",
        cause="It was changed by hand; browsers cannot upload or download files.",
        remedy=_REVERT,
        run=_bucket_cors,
        needs=("D201",),
    ),
    Check(
        id="D807",
        title="The page's origin is allowed",
        looks_at="the origin of --origin, and web.origins",
        cause="The front end moved to another host or port, which the environment does not list.",
        remedy=_ORIGINS + " Try it with `make doctor ENV={env} ORIGIN=https://app.example.edu`.",
        run=_origin,
    ),
    Check(
        id="D808",
        title="The stage exists and deploys changes of routes",
        looks_at="API Gateway GetStage",
        cause="It was deleted or changed by hand; the address responds with 404, or serves old routes.",
        remedy=_REVERT,
        run=_stage,
        needs=("D801",),
    ),
    Check(
        id="D809",
        title="The stage throttles as the environment says",
        looks_at="API Gateway GetStage: DefaultRouteSettings",
        cause="It was changed by hand; requests get 429 although the environment allows more.",
        remedy=_REVERT,
        run=_throttling,
        needs=("D808",),
        aws_only="its API does not report the throttling of a stage",
    ),
    Check(
        id="D810",
        title="The HTTP API responds, and refuses requests without a valid token with 401",
        looks_at=f"GET {READ_ROUTE.path} without a token, and with a malformed one",
        cause="The host name does not resolve, the certificate is invalid, or the authorizer is missing.",
        remedy="Look at D801 to D804 and D811 first. Try the address: `aws apigatewayv2 get-apis`.",
        run=_responds,
        needs=("D801", "D802", "D804", "D808"),
    ),
    Check(
        id="D811",
        title="Pages of the allowed origins may call the HTTP API",
        looks_at="a preflight request (OPTIONS) from each origin",
        cause="CORS does not take effect although it is configured, for example behind a proxy.",
        remedy="Remove the proxy or let it pass OPTIONS requests. " + _ORIGINS,
        run=_preflight,
        needs=("D805", "D810"),
    ),
)
