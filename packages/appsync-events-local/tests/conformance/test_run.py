"""The table itself: what counts as equal, and that a row which is not kept is told with what happened."""

from collections import deque
from typing import Any

import pytest
from conformance_suite import table
from conformance_suite.frames import ACK, INIT, KEEP_ALIVE, comes, connected, data, published, unsubscribe
from conformance_suite.run import Differs, Run
from conformance_suite.table import NOT_2XX, TEXT, UUID, As, Closed, Open, Silence, document, matches, row


class Scripted:
    """A stage with one peer that says what it was told to say."""

    selected = None

    def __init__(self, *frames: dict[str, Any]) -> None:
        self._frames = deque(frames)

    def credentials(self, by: As, signed: str) -> dict[str, str]:
        return {}

    async def open(self, connect: dict[str, str]) -> "Scripted":
        return self

    async def send(self, data: str | bytes) -> None:
        """Whatever is sent changes nothing."""

    async def receive(self) -> dict[str, Any]:
        return self._frames.popleft()

    async def quiet(self) -> None:
        """Nothing is on its way."""


MARKED = {"type": "unsubscribe_error", "id": "marker-1", "errors": []}


@pytest.mark.parametrize(
    ("expected", "seen", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (1, True, False),
        ([1, 2], [2, 1], False),
        (TEXT, "", False),
        (UUID, "0f8fad5b-d9cb-469f-a165-70867728950e", True),
        (UUID, "0f8fad5b", False),
        (NOT_2XX, 204, False),
        (NOT_2XX, 404, True),
        (document({"a": [1]}), '{ "a": [1] }', True),
        (document(1), 1, False),
        (document(1), "{", False),
    ],
)
def test_values_match_by_type_and_completely(expected: Any, seen: Any, same: bool) -> None:
    assert matches(expected, seen) is same


GOOD: list[tuple[list[dict[str, Any]], tuple[table.Step, ...]]] = [
    ([ACK], connected()),
    ([ACK, data("1"), published(0)], (*connected(), comes(published(0), data("1")))),
    ([ACK, MARKED], (*connected(), Silence())),
    ([{"type": "closed", "code": 1008}], (Open(), Closed(1008))),
]
BAD: list[tuple[list[dict[str, Any]], tuple[table.Step, ...]]] = [
    ([{"type": "connection_ack"}], connected()),
    ([ACK, data("1")], (*connected(), Silence())),
    ([ACK, data("2")], (*connected(), comes(data("1")))),
    ([ACK, data("1", "other")], (*connected(), comes(data("1")))),
    ([{"type": "closed", "code": 1000}], (Open(), Closed(1008))),
    ([ACK, KEEP_ALIVE, MARKED], (*connected(), Silence())),
]


@pytest.mark.parametrize(("frames", "steps"), GOOD)
async def test_a_row_that_is_kept_says_nothing(frames: list[dict[str, Any]], steps: tuple[table.Step, ...]) -> None:
    real = [published_for_real(frame) for frame in frames]
    await Run(Scripted(*real)).all(row("good", "", *steps))  # type: ignore[arg-type]


@pytest.mark.parametrize(("frames", "steps"), BAD)
async def test_a_row_that_is_not_kept_tells_what_happened(
    frames: list[dict[str, Any]], steps: tuple[table.Step, ...]
) -> None:
    with pytest.raises(Differs, match=r"(?s)expected .*, seen .*; before that:\n.*<-"):
        await Run(Scripted(*frames)).all(row("bad", "", *steps))  # type: ignore[arg-type]


async def test_far_away_a_keep_alive_in_between_is_nothing() -> None:
    steps = (*connected(), INIT, comes(ACK), unsubscribe(), Silence())
    stage = Scripted(ACK, KEEP_ALIVE, ACK, KEEP_ALIVE, MARKED)
    await Run(stage, overlook_keep_alive=True).all(row("far", "", *steps))  # type: ignore[arg-type]


def published_for_real(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame with an identifier where the expectation has a pattern."""
    if frame["type"] != "publish_success":
        return frame
    entry = {"identifier": "0f8fad5b-d9cb-469f-a165-70867728950e", "index": 0}
    return {**frame, "successful": [entry]}
