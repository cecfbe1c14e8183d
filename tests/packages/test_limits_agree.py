"""Limits of AWS that stand in several packages, since these import nothing of each other, are equal."""

from __future__ import annotations

import pytest
from appsync_events import _protocol, _timeout
from appsync_events_local import limits as service

from contract import limits as contract


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(_protocol.EVENTS_PER_PUBLISH, service.EVENTS_PER_PUBLISH, id="events per publish"),
        pytest.param(
            _protocol.PUBLISHES_PER_SECOND, service.PUBLISHES_PER_SECOND_PER_CONNECTION, id="publishes per second"
        ),
        pytest.param(
            _protocol.DEFAULT_SILENCE_SECONDS * 1000, service.CONNECTION_TIMEOUT_MS, id="silence of a connection"
        ),
        pytest.param(
            _timeout.CONNECTION_LIFETIME_SECONDS, service.CONNECTION_LIFETIME_SECONDS, id="lifetime of a connection"
        ),
        pytest.param(contract.EVENT_BYTES_MAX, service.EVENT_BYTES, id="bytes of an event"),
        pytest.param(
            contract.HANDLER_CODE_CHARACTERS, service.HANDLER_CODE_CHARACTERS, id="characters of handler code"
        ),
        pytest.param(contract.SEGMENT_CHARACTERS, service.SEGMENT_CHARACTERS, id="characters of a channel segment"),
    ],
)
def test_limit_is_the_same_in_both_packages(one: float, other: float) -> None:
    assert one == other
