"""Every event type is published, delivered to clients, handled by them and tested."""

from __future__ import annotations

from typing import Any, get_args

from client.state.call_tracker import CallTracker
from client.state.inbox import Inbox
from contract.calls.events import CallEvent
from contract.events import EVENTS, Event
from tests.completeness.source import missing, names

NOT_SHOWN_BY_THE_PAGE = {event.__struct_config__.tag for event in get_args(CallEvent)}
"""The page has no calls; it ignores their events."""


def _type(event: type[Any]) -> str:
    return str(event.__struct_config__.tag)


def test_every_event_is_in_a_namespace_and_in_the_union_of_all_events() -> None:
    listed = {event for events in EVENTS.values() for event in events}
    united = set(get_args(Event))
    without_namespace = sorted(map(_type, united - listed))
    assert not without_namespace, missing("contract/events.py: EVENTS lacks", without_namespace, "add the event there")
    not_united = sorted(map(_type, listed - united))
    assert not not_united, missing("contract/events.py: the union Event lacks", not_united, "add the event there")


def test_handlers_create_every_event() -> None:
    absent = [
        _type(event) for event in get_args(Event) if not names(f"events.{event.__name__}", "handlers/core/**/*.py")
    ]
    assert not absent, missing(
        "handlers/core creates no event of type", absent, "create it in the use case whose change it describes"
    )


def test_python_client_handles_every_event() -> None:
    for state, path in ((Inbox, "client/state/inbox.py"), (CallTracker, "client/state/call_tracker.py")):
        handled = set(state.__dict__["_on"].dispatcher.registry)
        is_call = state is CallTracker
        expected = [event for event in get_args(Event) if (event in get_args(CallEvent)) == is_call]
        absent = [_type(event) for event in expected if event not in handled]
        assert not absent, missing(f"{path} handles no event of type", absent, "register a handler of `_on` for it")


def test_web_page_handles_every_event_that_it_shows() -> None:
    shown = [_type(event) for event in get_args(Event) if _type(event) not in NOT_SHOWN_BY_THE_PAGE]
    absent = [each for each in shown if not names(f'case "{each}":', "web/src/client/state/incoming.ts")]
    assert not absent, missing(
        "web/src/client/state/incoming.ts handles no event of type",
        absent,
        "add a case, or list the type in NOT_SHOWN_BY_THE_PAGE of tests/completeness/test_event_types.py",
    )


def test_tests_of_the_python_client_name_every_event_type() -> None:
    tests = ("tests/client/**/*.py", "tests/harness/client/*.py")
    absent = [_type(event) for event in get_args(Event) if not names(_type(event), *tests)]
    assert not absent, missing("no test in tests/client names the event type", absent, "test what the event changes")


def test_tests_of_the_web_page_name_every_event_type_that_it_shows() -> None:
    shown = [_type(event) for event in get_args(Event) if _type(event) not in NOT_SHOWN_BY_THE_PAGE]
    absent = [each for each in shown if not names(each, "tests/web/*.test.ts")]
    assert not absent, missing("no test in tests/web names the event type", absent, "test what the event changes")


def test_a_test_of_the_handlers_names_every_event_type() -> None:
    absent = [_type(event) for event in get_args(Event) if not names(_type(event), "tests/handlers/**/test_*.py")]
    assert not absent, missing(
        "no test in tests/handlers names the event type", absent, "test who receives the event, and with which data"
    )
