"""All time limits of a client are in one object."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
from appsync_events import EventsClient, Timeout


def test_defaults_are_those_of_the_manual() -> None:
    assert dataclasses.asdict(Timeout()) == {
        "connect": 15.0, "acknowledge": 15.0, "publish": 15.0, "http_connect": 5.0, "http_publish": 30.0, "close": 2.0,
        "lifetime": 85_800.0,
    }  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Timeout)])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_limit_must_be_positive(name: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=rf"Timeout\.{name} must be more than 0 seconds"):
        Timeout(**{name: seconds})


def test_client_takes_no_other_time_limit() -> None:
    names = inspect.signature(EventsClient).parameters
    assert "timeout" in names
    assert [name for name in names if "seconds" in name] == []
