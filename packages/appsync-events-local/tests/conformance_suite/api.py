"""The Event API that the rows use, as a CloudFormation template; the service and AWS deploy the same one."""

from __future__ import annotations

from typing import Any

HANDLERS = """
import { util } from '@aws-appsync/utils'
export function onPublish(ctx) {
  const first = ctx.events[0].payload
  if (first === 'error') { util.error('not today', 'Custom7') }
  if (first === 'plain error') { util.error('not today') }
  if (first === 'unauthorized') { util.unauthorized() }
  if (first === 'crash') { return ctx.nothing.here }
  if (first === 'null') { return null }
  if (first === 'none') { return [] }
  if (first === 'unknown id') { return [{ id: 'unknown', payload: 1 }] }
  if (first === 'same id') { return [ctx.events[0], ctx.events[0]] }
  if (first === 'holes') { return [null, { id: ctx.events[0].id, payload: 'kept' }, null] }
  if (first === 'no payload') { return [{ id: ctx.events[0].id }] }
  if (first === 'null error') { return [{ id: ctx.events[0].id, payload: 'kept', error: null }] }
  if (first === 'context') {
    return [{ id: ctx.events[0].id, payload: { identity: ctx.identity, info: ctx.info } }]
  }
  if (first === 'reversed') {
    return ctx.events.map((e, i) => ({ id: ctx.events[ctx.events.length - 1 - i].id, payload: i }))
  }
  return ctx.events
    .filter(e => e.payload !== 'drop')
    .map(e => e.payload === 'fail' ? { id: e.id, error: 'refused' } : { id: e.id, payload: [e.payload, e.payload] })
}
export function onSubscribe(ctx) {
  const last = ctx.info.channel.segments[ctx.info.channel.segments.length - 1]
  if (last === 'error') { util.error('not here', 'Custom8') }
  if (last === 'plain-error') { util.error('not here') }
  if (last === 'unauthorized') { util.unauthorized() }
  if (last === 'crash') { return ctx.nothing.here }
  if (ctx.info.channel.segments[1] === 'context') { util.error(JSON.stringify(ctx.info), 'Context') }
}
"""

NAMESPACES: dict[str, dict[str, Any]] = {
    "open": {},
    "open2": {},
    "js": {"CodeHandlers": HANDLERS},
    "signed": {
        "PublishAuthModes": [{"AuthType": "AWS_IAM"}],
        "SubscribeAuthModes": [{"AuthType": "AWS_IAM"}],
    },
}
"""By name: `open` and `open2` have no handlers, `js` has handlers, `signed` accepts IAM only."""


def template(name: str, key_expires: int) -> dict[str, Any]:
    """The template of the API with its key and namespaces.

    Args:
        name: name of the API.
        key_expires: expiry of its API key, in seconds since the epoch.
    """
    modes = [{"AuthType": "API_KEY"}, {"AuthType": "AWS_IAM"}]
    api_id = {"Fn::GetAtt": ["Api", "ApiId"]}
    resources: dict[str, Any] = {
        "Api": {
            "Type": "AWS::AppSync::Api",
            "Properties": {
                "Name": name,
                "EventConfig": {
                    "AuthProviders": modes,
                    "ConnectionAuthModes": modes,
                    "DefaultPublishAuthModes": modes,
                    "DefaultSubscribeAuthModes": modes,
                },
            },
        },
        "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": api_id, "Expires": key_expires}},
    }
    for namespace, properties in NAMESPACES.items():
        resources[f"Namespace{namespace.title()}"] = {
            "Type": "AWS::AppSync::ChannelNamespace",
            "Properties": {"ApiId": api_id, "Name": namespace, **properties},
        }
    outputs = {
        "ApiId": {"Value": api_id},
        "Http": {"Value": {"Fn::GetAtt": ["Api", "Dns.Http"]}},
        "Realtime": {"Value": {"Fn::GetAtt": ["Api", "Dns.Realtime"]}},
        "Key": {"Value": {"Fn::GetAtt": ["Key", "ApiKey"]}},
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, "Outputs": outputs}
