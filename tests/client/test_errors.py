"""Every error that the client raises is a ClientError."""

from __future__ import annotations

import inspect

import appsync_events
import pytest
from appsync_events import EventsError

from client import errors
from client.errors import (
    ClientError,
    RealtimeError,
    RealtimeRefusedError,
    SignedOutError,
    UnreachableError,
    from_events_error,
)


def test_every_error_is_in_the_tree_and_the_module_docstring_shows_it() -> None:
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__]
    assert all(issubclass(each, ClientError) for each in classes)
    shown = {line.lstrip("│├└─ ").split()[0] for line in (errors.__doc__ or "").splitlines() if "Error" in line[:40]}
    assert {each.__name__ for each in classes} <= shown | {"ClientError"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (appsync_events.UnreachableError("timeout"), UnreachableError),
        (appsync_events.ConnectionLostError("cut"), UnreachableError),
        (appsync_events.ConnectionRefusedByServerError("no"), RealtimeRefusedError),
        (appsync_events.SubscriptionRefusedError("no"), RealtimeRefusedError),
        (appsync_events.ProtocolError("frame"), RealtimeError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_an_error_of_the_event_api_has_its_counterpart(error: EventsError, expected: type[ClientError]) -> None:
    translated = from_events_error(error)
    assert type(translated) is expected
    assert translated.__cause__ is error
    assert str(error) in str(translated)


def test_an_error_of_the_token_source_is_raised_itself() -> None:
    signed_out = SignedOutError("NotAuthorizedException", "sign in again")
    assert from_events_error(signed_out) is signed_out
    wrapped = appsync_events.CredentialsError("no credentials")
    wrapped.__cause__ = UnreachableError("Cognito", "timeout")
    assert from_events_error(wrapped) is wrapped.__cause__
