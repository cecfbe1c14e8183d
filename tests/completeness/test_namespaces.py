"""Every namespace has events, handlers, permissions, a place in the stacks, and an alarm."""

from __future__ import annotations

from appsync_js.permissions import GRID
from appsync_js.render import namespaces
from contract import channels
from contract.channels import NAMESPACES
from contract.events import EVENTS
from stacks.policy.permissions import FUNCTIONS
from tests.completeness.source import missing, names

PUBLISHED = [namespace for namespace in NAMESPACES if not namespace.optional]
"""The namespaces that functions publish to; users publish to the others."""
CONSTANTS = {value.name: name for name, value in vars(channels).items() if isinstance(value, channels.Namespace)}
"""The name of each namespace's constant in contract/channels.py."""


def test_every_constant_is_in_the_list_of_namespaces() -> None:
    absent = sorted(set(CONSTANTS) - {namespace.name for namespace in NAMESPACES})
    assert not absent, missing("contract/channels.py: NAMESPACES lacks", absent, "add the constant there")


def test_every_namespace_has_events() -> None:
    absent = [namespace.name for namespace in NAMESPACES if not EVENTS.get(namespace.name)]
    assert not absent, missing("contract/events.py: EVENTS lacks the namespace", absent, "list its events there")


def test_every_namespace_has_handlers() -> None:
    absent = [f"appsync_js/{namespace.name}.js" for namespace in NAMESPACES if namespace.name not in namespaces()]
    assert not absent, missing("no handlers of a namespace", absent, "write onSubscribe and onPublish")


def test_permission_grid_covers_every_namespace() -> None:
    for operation in ("subscribe", "publish"):
        covered = {cell.namespace for cell in GRID if cell.operation == operation}
        absent = [namespace.name for namespace in NAMESPACES if namespace.name not in covered]
        assert not absent, missing(
            f"appsync_js/permissions.py: GRID has no cell for {operation} on",
            absent,
            "add who may do it and who may not",
        )


def test_events_stack_creates_every_namespace() -> None:
    absent = [each.name for each in NAMESPACES if not names(f"channels.{CONSTANTS[each.name]}", "stacks/events.py")]
    assert not absent, missing("stacks/events.py does not create the namespace", absent, "add it to EventsStack")


def test_handlers_publish_to_every_namespace() -> None:
    constants = {each.name: f"channels.{CONSTANTS[each.name]}" for each in PUBLISHED}
    absent = [name for name, constant in constants.items() if not names(constant, "handlers/core/**/*.py")]
    assert not absent, missing(
        "handlers/core publishes nothing to the namespace", absent, "name it in an outbox record"
    )


def test_the_function_deliver_may_publish_to_every_namespace() -> None:
    absent = [each.name for each in PUBLISHED if each not in FUNCTIONS["deliver"].publish]
    assert not absent, missing(
        "stacks/policy/permissions.py does not let the function deliver publish to",
        absent,
        "add the namespace to it and to the function of the use case",
    )


def test_an_alarm_watches_every_namespace_that_functions_publish_to() -> None:
    constants = {each.name: f"channels.{CONSTANTS[each.name]}" for each in PUBLISHED}
    absent = [name for name, constant in constants.items() if not names(constant, "stacks/monitoring/alarms.py")]
    assert not absent, missing(
        "stacks/monitoring/alarms.py: _PUBLISHED_NAMESPACES lacks", absent, "add the namespace there"
    )
