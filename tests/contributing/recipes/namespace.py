"""A namespace: `presence`, one channel per user, to which functions publish."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, before, edit, new
from tests.contributing.page import ROOT
from tests.contributing.recipe import Recipe

_NAMESPACE: Final = """PRESENCE: Final = Namespace(
    "presence", ("userId",), "the user with this userId", "route functions (IAM)", "which users are online"
)
"""
_USE_CASE: Final = '''"""Publishes which users are online."""

from contract import channels

NAMESPACE = channels.PRESENCE
'''
_HEADER: Final = '// Namespace "presence": one channel per user, for which users are online.\n'
_SNAPSHOT: Final = """  PresenceNamespace:
    Properties:
      CodeHandlers: |
{code}
      Name: presence
    Type: AWS::AppSync::ChannelNamespace
"""
_PERMISSION: Final = "# arn:${AWS::Partition}:appsync:::apis/channelNamespace/presence\n"
_METRICS_LACK: Final = "lacks metrics of the namespace presence; run: make snapshots"
_CHART_LINE: Final = """            - - AWS/AppSync
              - FailedEvents
              - ChannelNamespaceName
              - {namespace}
"""
_ALARM_METRIC: Final = """      - Id: {id}
        MetricStat:
          Metric:
            Dimensions:
            - Name: ChannelNamespaceName
"""
_NEW_ALARM_METRIC: Final = """              Value: presence
            MetricName: FailedEvents
            Namespace: AWS/AppSync
          Period: 300
          Stat: Sum
        ReturnData: false
"""
_IN_CHART: Final = before(_CHART_LINE.format(namespace="conversations"), _CHART_LINE.format(namespace="presence"))
_IN_ALARM: Final = before(_ALARM_METRIC.format(id="m0"), _ALARM_METRIC.format(id="m3") + _NEW_ALARM_METRIC)


def _handlers() -> str:
    """Return handlers of the new namespace: those of `users`, with its one event type."""
    text = (ROOT / "appsync_js/users.js").read_text(encoding="utf-8")
    start, end = text.index("const EVENT_TYPES = ["), text.index("// </generated>")
    return _HEADER + text[:start] + "const EVENT_TYPES = [\n  'USER_TYPING',\n];\n" + text[end:]


_CODE: Final = "\n".join(f"        {line}".rstrip() for line in _handlers().splitlines())

RECIPE: Final = Recipe(
    "A namespace",
    (
        edit(
            "contract/channels.py",
            "module 'contract.channels' has no attribute 'PRESENCE'",
            before("NAMESPACES: Final", _NAMESPACE),
            after("= (CHATS, USERS, CALLS, ", "PRESENCE, "),
        ),
        edit(
            "contract/events.py",
            "contract/events.py: EVENTS lacks the namespace: presence",
            after("    channels.CONVERSATIONS.name: (MessageSent,),\n", "    channels.PRESENCE.name: (UserTyping,),\n"),
        ),
        new("appsync_js/presence.js", "no handlers of a namespace: appsync_js/presence.js", _handlers()),
        edit(
            "appsync_js/permissions.py",
            "appsync_js/permissions.py: GRID has no cell for subscribe on: presence",
            before('    *_looked_up(\n        "calls",\n', '    *_user_channels("presence"),\n'),
            before('    *_looked_up(\n        "calls",\n', '    *_published_by_routes("presence", "me"),\n'),
        ),
        new("handlers/core/users/presence.py", "handlers/core publishes nothing to the namespace: presence", _USE_CASE),
        edit(
            "stacks/events.py",
            "stacks/events.py does not create the namespace: presence",
            after("        self._add_namespace(channels.USERS)\n", "        self._add_namespace(channels.PRESENCE)\n"),
        ),
        edit(
            "stacks/policy/permissions.py",
            "stacks/policy/permissions.py does not let the function deliver publish to: presence",
            after("        publish=(channels.CHATS, channels.USERS, channels.CALLS", ", channels.PRESENCE"),
        ),
        edit(
            "stacks/monitoring/alarms.py",
            "stacks/monitoring/alarms.py: _PUBLISHED_NAMESPACES lacks: presence",
            after("= (channels.CHATS, channels.USERS, channels.CALLS", ", channels.PRESENCE"),
        ),
        edit(
            "tests/snapshots/*/Events.yaml",
            "lacks the namespace presence; run: make snapshots",
            after("\nResources:\n", _SNAPSHOT.format(code=_CODE)),
        ),
        *(
            edit(f"tests/snapshots/{environment}/Operations.yaml", _METRICS_LACK, _IN_ALARM, _IN_CHART)
            for environment in ("local", "prod")
        ),
        *(
            edit(f"tests/snapshots/{environment}/Operations.yaml", _METRICS_LACK, _IN_ALARM)
            for environment in ("imported-pool", "staging")  # an alarm, but no dashboards
        ),
        edit(
            "tests/snapshots/*/Routes.yaml",
            "lacks the permission to publish to presence; run: make snapshots",
            append(_PERMISSION),
        ),
    ),
)
