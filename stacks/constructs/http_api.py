"""The HTTP API: every route of the contract behind a JWT authorizer, one integration per function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract import correlation
from contract.route import Domain
from contract.routes import ROUTES
from stacks.config.fields import Environment
from stacks.constructs.log_group import create_log_group
from stacks.constructs.user_pool import UserPoolReference
from stacks.naming import Names
from stacks.policy import arns

_STAGE: Final = "$default"
_ALLOWED_HEADERS: Final = ("authorization", "content-type", correlation.HEADER)
_EXPOSED_HEADERS: Final = ("retry-after", correlation.HEADER)
_PREFLIGHT_SECONDS: Final = 3_600

_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "sub": "$context.authorizer.claims.sub",
    "sourceIp": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    "error": "$context.error.message",
}


class HttpApi(Construct):
    """The API, its authorizer, routes and stage.

    Args:
        functions: the function that serves each domain of the contract.
        pool: the user pool whose tokens are accepted; the functions check that a token is an access token.
        integration_timeout: how long the API waits for a function; longer than the function's own timeout.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        functions: Mapping[Domain, lambda_.IFunction],
        pool: UserPoolReference,
        integration_timeout: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._api = apigateway.CfnApi(
            self,
            "Api",
            name=Names(environment.name).of("Api"),
            protocol_type="HTTP",
            cors_configuration=_cors(environment),
        )
        authorizer = apigateway.CfnAuthorizer(
            self,
            "Authorizer",
            api_id=self.api_id,
            name="UserPool",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=pool.issuer, audience=list(pool.client_ids)
            ),
        )
        integrations = {
            domain: self._integration(domain, function, integration_timeout) for domain, function in functions.items()
        }
        self._stage = self._create_stage()
        for route in ROUTES:
            apigateway.CfnRoute(
                self,
                route.operation[0].upper() + route.operation[1:],
                api_id=self.api_id,
                route_key=route.key,
                authorization_type="JWT",
                authorizer_id=authorizer.ref,
                target=f"integrations/{integrations[route.domain].ref}",
                operation_name=route.operation,
            )

    @property
    def api_id(self) -> str:
        """Return the API's id."""
        return self._api.ref

    @property
    def address(self) -> str:
        """Return the address that clients use: the custom domain, or AWS's own address."""
        domain = self._environment.api.domain
        return f"https://{domain.name}" if domain else self._api.attr_api_endpoint

    def map_domain(self) -> str | None:
        """Map the environment's custom domain, if it has one, and return the target of its DNS record."""
        domain = self._environment.api.domain
        if domain is None:
            return None
        host = apigateway.CfnDomainName(
            self,
            "Domain",
            domain_name=domain.name,
            domain_name_configurations=[
                apigateway.CfnDomainName.DomainNameConfigurationProperty(
                    certificate_arn=domain.certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
                )
            ],
        )
        mapping = apigateway.CfnApiMapping(
            self, "DomainMapping", api_id=self.api_id, domain_name=host.ref, stage=_STAGE
        )
        mapping.add_resource_dependency(self._stage)
        return host.attr_regional_domain_name

    def _integration(self, domain: str, function: lambda_.IFunction, timeout: Duration) -> apigateway.CfnIntegration:
        name = domain.capitalize()
        lambda_.CfnPermission(
            self,
            f"{name}Permission",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="apigateway.amazonaws.com",
            source_arn=arns.http_api_arn(self.api_id),
        )
        return apigateway.CfnIntegration(
            self,
            f"{name}Integration",
            api_id=self.api_id,
            integration_type="AWS_PROXY",
            integration_uri=function.function_arn,
            payload_format_version="2.0",
            timeout_in_millis=timeout.to_milliseconds(),
        )

    def _create_stage(self) -> apigateway.CfnStage:
        name = f"/aws/vendedlogs/apigateway/{Names(self._environment.name).of('Api')}"
        log_group = create_log_group(self, "AccessLog", name, self._environment)
        return apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name=_STAGE,
            auto_deploy=True,
            # Metrics per route would be custom metrics, up to 180 at $0.30 a month each; alarms and dashboard read the
            # metrics of the API, and the access log has the latency of each route (Amazon API Gateway: metrics).
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=self._environment.api.throttle_rate,
                throttling_burst_limit=self._environment.api.throttle_burst,
                detailed_metrics_enabled=False,
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=arns.log_group_arn(log_group.log_group_name),
                format=json.dumps(_ACCESS_LOG, separators=(",", ":")),
            ),
        )


def _cors(environment: Environment) -> apigateway.CfnApi.CorsProperty:
    return apigateway.CfnApi.CorsProperty(
        allow_origins=list(environment.web.origins),
        allow_methods=sorted({route.method for route in ROUTES}),
        allow_headers=list(_ALLOWED_HEADERS),
        expose_headers=list(_EXPOSED_HEADERS),
        max_age=_PREFLIGHT_SECONDS,
    )
