"""Changes that break applications in use: the contract, the outputs they are configured from, and who may call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ops.change_report.comparison import Comparison, as_list, outputs, text
from ops.change_report.finding import Finding, Severity
from ops.change_report.schemas import stricter_request, weaker_response

_METHODS: Final = ("get", "put", "post", "patch", "delete")
_GENERATED: Final = Path("contract") / "generated"
_CLIENT_SETTINGS: Final = (
    "SupportedIdentityProviders",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "CallbackURLs",
    "LogoutURLs",
    "ReadAttributes",
    "WriteAttributes",
    "ExplicitAuthFlows",
)


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes that break clients."""
    yield from _documents(comparison)
    yield from _outputs(comparison)
    yield from _resources(comparison)


def _finding(rule: str, what: str, why: str, stack: str = "", resource: str = "", *properties: str) -> Finding:
    return Finding(
        f"clients.{rule}",
        Severity.BREAKS_CLIENTS,
        what,
        why,
        "Keep the old form until no installed client uses it; announce the date.",
        stack,
        resource,
        properties,
    )


def read_document(checkout: Path | None, name: str) -> dict[str, Any] | None:
    """Return a generated document of the contract; None if the revision has none."""
    file = checkout / _GENERATED / name if checkout else None
    if file is None or not file.is_file():
        return None
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _documents(comparison: Comparison) -> Iterator[Finding]:
    before, after = comparison.before.checkout, comparison.after.checkout
    old, new = (read_document(side, "openapi.json") for side in (before, after))
    if old and new:
        yield from api_changes(old, new)
    old, new = (read_document(side, "asyncapi.json") for side in (before, after))
    if old and new:
        yield from event_changes(old, new)


def api_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare two OpenAPI documents: routes that are gone, requests that are stricter, responses that are weaker."""
    for path, methods in old["paths"].items():
        for method in _METHODS:
            if method not in methods:
                continue
            name = f"{method.upper()} {path}"
            later = new["paths"].get(path, {}).get(method)
            if later is None:
                yield _finding("route-removed", f"The route {name} is gone", "Its callers get 404.")
                continue
            for line in _operation_changes(old, methods[method], new, later):
                yield _finding(
                    "route", f"{name}: {line}", "Requests that were valid fail, or answers lack what is read."
                )


def _operation_changes(
    old: Mapping[str, Any], before: Mapping[str, Any], new: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    yield from stricter_request(_body(before), _body(after), old, new, "body")
    earlier, later = ({each["name"]: each for each in side.get("parameters", [])} for side in (before, after))
    for name, parameter in later.items():
        if name not in earlier and parameter.get("required"):
            yield f"the parameter {name} is required"
        elif name in earlier:
            yield from stricter_request(earlier[name].get("schema"), parameter.get("schema"), old, new, name)
    for name in earlier.keys() - later.keys():
        yield f"the parameter {name} is gone"
    for status, response in before.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in after.get("responses", {}):
            yield f"no longer answers {status}"
            continue
        yield from weaker_response(_content(response), _content(after["responses"][status]), old, new, "answer")


def _content(part: Mapping[str, Any]) -> Any:
    return part.get("content", {}).get("application/json", {}).get("schema")


def _body(operation: Mapping[str, Any]) -> Any:
    return _content(operation.get("requestBody", {}))


def event_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare two AsyncAPI documents: channels and events that are gone, and fields that events lack."""
    for name, channel in old["channels"].items():
        later = new["channels"].get(name)
        if later is None:
            yield _finding("channel-removed", f"The channel {channel['address']} is gone", "Subscriptions to it fail.")
            continue
        if later["address"] != channel["address"]:
            yield _finding(
                "channel-address",
                f"The channel {channel['address']} is now {later['address']}",
                "Subscriptions to the old address fail or receive nothing.",
            )
        for message in channel.get("messages", {}).keys() - later.get("messages", {}).keys():
            yield _finding(
                "event-removed",
                f"{message} is no longer published on {channel['address']}",
                "Clients miss what it announced. Removing a type needs two deployments: first the functions that "
                "publish it, then the handler's list.",
            )
    for name, message in old["components"]["messages"].items():
        if name in new["components"]["messages"]:
            payloads = message.get("payload"), new["components"]["messages"][name].get("payload")
            for line in weaker_response(*payloads, old, new, name):
                yield _finding("event", f"Event {line}", "Clients read the field.")


def _outputs(comparison: Comparison) -> Iterator[Finding]:
    for stack in sorted(comparison.before.templates.keys() & comparison.after.templates.keys()):
        old, new = (outputs(side.templates[stack], exported=False) for side in (comparison.before, comparison.after))
        for key in sorted(old.keys() - new.keys()):
            yield _finding(
                "output-removed",
                f"The output {key} of {stack} is gone",
                "Commands and pipelines that configure front ends read it.",
                stack,
            )
    for stack in sorted(comparison.before.templates.keys() - comparison.after.templates.keys()):
        yield Finding(
            "clients.stack-removed",
            Severity.BREAKS_CLIENTS,
            f"The stack {stack} is no longer part of the app",
            "The CDK does not delete it: it stays deployed, with its costs, and nothing updates it.",
            "Delete it by hand after what depends on it is gone.",
            stack=stack,
            properties=("*",),
        )


def _resources(comparison: Comparison) -> Iterator[Finding]:
    for change in comparison.of_type("AWS::ApiGatewayV2::Route"):
        if change.removed and not _still_routed(comparison, change.stack, change.old.get("RouteKey")):
            yield _finding(
                "route-removed",
                f"The route {text(change.old.get('RouteKey'))} is removed",
                "Its callers get 404.",
                change.stack,
                change.logical_id,
                "*",
            )
        elif not change.added and "RouteKey" in change.changed:
            yield _finding(
                "route-removed",
                f"The route {text(change.old.get('RouteKey'))} becomes {text(change.new.get('RouteKey'))}",
                "Callers of the old route get 404.",
                change.stack,
                change.logical_id,
                "RouteKey",
            )
        elif not change.added and not change.removed and _public(change.old) and not _public(change.new):
            yield _finding(
                "route-authorised",
                f"{text(change.new.get('RouteKey'))} needs a token",
                "Requests without one get 401.",
                change.stack,
                change.logical_id,
                "AuthorizationType",
                "AuthorizerId",
            )
    for change in comparison.of_type("AWS::ApiGatewayV2::Api"):
        old, new = (side.get("CorsConfiguration", {}) for side in (change.old, change.new))
        for name in ("AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders"):
            gone = [each for each in as_list(old.get(name)) if each not in as_list(new.get(name))]
            if gone and not change.removed and "*" not in as_list(new.get(name)):
                yield _finding(
                    "cors",
                    f"CORS: {name} no longer has {', '.join(gone)}",
                    "Browsers refuse the answers to pages there.",
                    change.stack,
                    change.logical_id,
                    "CorsConfiguration",
                )
    for change in comparison.of_type("AWS::AppSync::ChannelNamespace"):
        if change.removed:
            yield _finding(
                "namespace-removed",
                f"The namespace {change.old.get('Name')} is removed",
                "Subscriptions to its channels fail.",
                change.stack,
                change.logical_id,
                "*",
            )
    for change in comparison.updated("AWS::AppSync::ChannelNamespace", "AWS::AppSync::Api"):
        yield from _modes_removed(change.old, change.new, change.name, change.stack, change.logical_id)
    for change in comparison.updated("AWS::Cognito::UserPoolClient"):
        for name in _CLIENT_SETTINGS:
            gone = [each for each in as_list(change.old.get(name)) if each not in as_list(change.new.get(name))]
            if gone:
                yield _finding(
                    "app-client",
                    f"{name} of the app client no longer has {', '.join(map(text, gone))}",
                    "Sign-in that uses it fails.",
                    change.stack,
                    change.logical_id,
                    name,
                )


def _public(route: Mapping[str, Any]) -> bool:
    return bool(route.get("AuthorizationType", "NONE") == "NONE")


def _still_routed(comparison: Comparison, stack: str, key: Any) -> bool:
    resources = comparison.after.templates.get(stack, {}).get("Resources", {}).values()
    return any(each.get("Properties", {}).get("RouteKey") == key for each in resources)


def _modes_removed(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, stack: str, logical_id: str
) -> Iterator[Finding]:
    earlier, later = {**old, **old.get("EventConfig", {})}, {**new, **new.get("EventConfig", {})}
    for modes in (
        *("PublishAuthModes", "SubscribeAuthModes", "ConnectionAuthModes"),
        *("DefaultPublishAuthModes", "DefaultSubscribeAuthModes"),
    ):
        gone = {each["AuthType"] for each in earlier.get(modes) or []} - {
            each["AuthType"] for each in later.get(modes) or []
        }
        if gone and later.get(modes):
            yield _finding(
                "modes",
                f"{name} no longer accepts {', '.join(sorted(gone))} ({modes})",
                "Callers with these credentials are refused.",
                stack,
                logical_id,
                "EventConfig" if "EventConfig" in old else modes,
            )
