"""Checks of the configuration of the Event API: modes of authorization, namespaces, handlers, data sources, names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from contract.channels import NAMESPACES, template
from contract.limits import SEGMENT_CHARACTERS
from ops.deployed.values import differences
from ops.doctor.check import Check
from ops.doctor.examination import Examination, different, missing
from ops.doctor.finding import Finding, NotTriedError
from stacks import outputs

_SEGMENT: Final = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9-]{{0,{SEGMENT_CHARACTERS - 2}}}[A-Za-z0-9])?")


def camel(value: Any) -> Any:
    """Return a part of a template with the keys of AppSync's API, which begin with a small letter."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: camel(each) for key, each in value.items()}
    return value


def _api_id(examination: Examination) -> str:
    found = examination.target.output(outputs.EVENTS_API_ID)
    if found is None:
        raise NotTriedError("the stack Events has no output EventsApiId")
    return found


def _exists(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::AppSync::Api"):
        if examination.find("appsync", "get_api", apiId=_api_id(examination)) is None:
            yield missing(resource, _api_id(examination))


def _modes(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::AppSync::Api"):
        found = examination.target.read("appsync", "get_api", apiId=_api_id(examination))["api"]
        expected = camel(resource.properties["EventConfig"])
        expected.pop("logConfig", None)
        yield from different("Event API", differences(expected, found["eventConfig"]))


def _log(examination: Examination) -> Iterator[Finding]:
    for resource in examination.resources("AWS::AppSync::Api"):
        found = examination.target.read("appsync", "get_api", apiId=_api_id(examination))["api"]
        expected = camel(resource.properties["EventConfig"]).get("logConfig", {})
        for line in differences(expected, found["eventConfig"].get("logConfig") or {}):
            yield Finding(f"log of the Event API: {line}", warning=True)


def _namespaces(examination: Examination) -> Iterator[tuple[Any, Any]]:
    found = examination.target.read_all(
        "appsync", "list_channel_namespaces", "channelNamespaces", apiId=_api_id(examination)
    )
    by_name = {each["name"]: each for each in found}
    for resource in examination.resources("AWS::AppSync::ChannelNamespace"):
        yield resource, by_name.get(resource.properties["Name"])


def _namespaces_exist(examination: Examination) -> Iterator[Finding]:
    for resource, found in _namespaces(examination):
        name = resource.properties["Name"]
        if found is None:
            yield missing(resource, name)
            continue
        expected = {key: camel(resource.properties[key]) for key in ("SubscribeAuthModes", "PublishAuthModes")}
        actual = {key: found.get(key[0].lower() + key[1:]) for key in expected}
        yield from different(f"namespace {name}", differences(expected, actual))


def _handlers(examination: Examination) -> Iterator[Finding]:
    for resource, found in _namespaces(examination):
        if found is None:
            continue
        name, code = resource.properties["Name"], found.get("codeHandlers", "")
        if code.strip() != resource.properties["CodeHandlers"].strip():
            yield Finding(f"the handler of namespace {name} differs from the template")
        configs = camel(resource.properties.get("HandlerConfigs"))
        if configs is not None:
            yield from different(
                f"handler of namespace {name}", differences(configs, found.get("handlerConfigs") or {})
            )


def _sources(examination: Examination) -> Iterator[Finding]:
    found = examination.target.read_all("appsync", "list_data_sources", "dataSources", apiId=_api_id(examination))
    by_name = {each["name"]: each for each in found}
    for resource in examination.resources("AWS::AppSync::DataSource"):
        name, properties = resource.properties["Name"], resource.properties
        if name not in by_name:
            yield missing(resource, name)
            continue
        expected = {
            "type": properties["Type"],
            "serviceRoleArn": properties["ServiceRoleArn"],
            "dynamodbConfig": camel(properties["DynamoDBConfig"]),
        }
        yield from different(f"data source {name}", differences(expected, by_name[name]))


def channel_fault(channel: str, optional: bool = True) -> str | None:
    """Return what is wrong with a channel that a client subscribes to; None if its form is right.

    Args:
        channel: the channel, as the client sends it.
        optional: whether the environment has the namespaces that not every environment has.
    """
    if not channel.startswith("/"):
        return f"the channel {channel!r} must begin with /"
    name, *segments = channel[1:].split("/")
    known = {each.name: each for each in NAMESPACES if optional or not each.optional}
    if name not in known:
        similar = next((each for each in known if each == name.lower()), None)
        hint = f"; channels are case-sensitive: {similar}" if similar else f"; namespaces: {', '.join(known)}"
        return f"there is no namespace {name!r}{hint}"
    form = template(known[name])
    if len(segments) != len(known[name].segments):
        return f"a channel of {name} has the form {form}; {channel!r} has {len(segments)} segments after the namespace"
    if wrong := next((each for each in segments if not _SEGMENT.fullmatch(each)), None):
        return f"{wrong!r} cannot be a segment of {form}: letters, digits and inner dashes, without wildcard"
    if any(each != each.lower() for each in segments):
        return f"ids are in lower case and compared exactly; {channel!r} has capital letters"
    return None


def _channel(examination: Examination) -> Iterator[Finding]:
    channel = examination.question.channel
    if channel is None:
        raise NotTriedError("no channel was given (--channel CHANNEL)")
    if fault := channel_fault(channel, examination.target.environment.events.direct_messaging):
        yield Finding(fault)


_REVERT: Final = (
    "Deploy with `npx cdk deploy -c env={env} Events --revert-drift`. If CloudFormation does not detect the drift of "
    "this resource, change it in stacks/events.py or appsync_js, deploy, and change it back."
)

CHECKS: Final = (
    Check(
        id="D601",
        title="The Event API exists",
        looks_at="AppSync GetApi",
        cause="It was deleted, or the output names another one; no client can connect.",
        remedy="Deploy it: `make deploy ENV={env}`. A new Event API has another address: `make outputs ENV={env}`.",
        run=_exists,
        needs=("D201",),
    ),
    Check(
        id="D602",
        title="The Event API accepts tokens of the user pool, and IAM",
        looks_at="AppSync GetApi: providers with pool, region and app clients, and the three lists of modes",
        cause="The provider names another pool or app client, or a mode is missing; every connection ends with 401.",
        remedy=_REVERT,
        run=_modes,
        needs=("D601",),
    ),
    Check(
        id="D603",
        title="Every namespace exists with its modes of authorization",
        looks_at="AppSync ListChannelNamespaces",
        cause="The namespace was deleted or changed by hand; subscriptions to it or publishes are refused.",
        remedy=_REVERT,
        run=_namespaces_exist,
        needs=("D601",),
    ),
    Check(
        id="D604",
        title="The handlers of the namespaces are those of the template",
        looks_at="AppSync ListChannelNamespaces: code of onSubscribe and onPublish, data sources",
        cause="The code was edited in the console; onPublish may drop events, onSubscribe refuse their recipients.",
        remedy=_REVERT,
        run=_handlers,
        needs=("D601",),
    ),
    Check(
        id="D605",
        title="The data sources of the handlers read the right tables with the right role",
        looks_at="AppSync ListDataSources",
        cause="It was changed by hand; subscriptions to calls and groups end with an error.",
        remedy=_REVERT,
        run=_sources,
        needs=("D601",),
    ),
    Check(
        id="D606",
        title="The Event API writes its log",
        looks_at="AppSync GetApi: logConfig",
        cause="Logging was turned off, so that refused subscriptions and publishes cannot be looked up.",
        remedy=_REVERT,
        run=_log,
        needs=("D601",),
    ),
    Check(
        id="D607",
        title="The channel that a client names has the right form",
        looks_at="the channel of --channel: namespace, number of segments, case",
        cause="Channels are compared exactly; one with another case, a wildcard or a further segment is refused.",
        remedy="Let the client build the channel as in docs/reference/events.md; try it with "
        "`make doctor ENV={env} CHANNEL=/chats/USER_ID`.",
        run=_channel,
    ),
)
