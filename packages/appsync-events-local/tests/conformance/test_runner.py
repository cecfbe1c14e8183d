"""The row runner: which values match, and the report of a row that fails."""

from collections import deque
from typing import Any

import pytest
from conformance_suite import table
from conformance_suite.frames import ACK, INIT, KEEP_ALIVE, connected, data, expect, published, unsubscribe
from conformance_suite.runner import RowFailed, RowRunner
from conformance_suite.table import NOT_2XX, TEXT, UUID, Closed, Credentials, Open, Silence, document, matches, row


class Scripted:
    """A driver with one connection, which receives the given frames."""

    selected = None

    def __init__(self, *frames: dict[str, Any]) -> None:
        self._frames = deque(frames)

    def credentials(self, by: Credentials, signed: str) -> dict[str, str]:
        return {}

    async def open(self, connect: dict[str, str]) -> "Scripted":
        return self

    async def send(self, data: str | bytes) -> None:
        """Ignore the frame."""

    async def receive(self) -> dict[str, Any]:
        return self._frames.popleft()

    async def await_deliveries(self) -> None:
        """Return at once."""


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
def test_values_match_only_with_equal_types_and_all_keys(expected: Any, seen: Any, same: bool) -> None:
    assert matches(expected, seen) is same


GOOD: list[tuple[list[dict[str, Any]], tuple[table.Step, ...]]] = [
    ([ACK], connected()),
    ([ACK, data("1"), published(0)], (*connected(), expect(published(0), data("1")))),
    ([ACK, MARKED], (*connected(), Silence())),
    ([{"type": "closed", "code": 1008}], (Open(), Closed(1008))),
]
BAD: list[tuple[list[dict[str, Any]], tuple[table.Step, ...]]] = [
    ([{"type": "connection_ack"}], connected()),
    ([ACK, data("1")], (*connected(), Silence())),
    ([ACK, data("2")], (*connected(), expect(data("1")))),
    ([ACK, data("1", "other")], (*connected(), expect(data("1")))),
    ([{"type": "closed", "code": 1000}], (Open(), Closed(1008))),
    ([ACK, KEEP_ALIVE, MARKED], (*connected(), Silence())),
]


@pytest.mark.parametrize(("frames", "steps"), GOOD)
async def test_passing_row_raises_nothing(frames: list[dict[str, Any]], steps: tuple[table.Step, ...]) -> None:
    real = [with_identifiers(frame) for frame in frames]
    await RowRunner(Scripted(*real)).run(row("good", "", *steps))  # type: ignore[arg-type]


@pytest.mark.parametrize(("frames", "steps"), BAD)
async def test_failing_row_reports_the_steps_before_the_difference(
    frames: list[dict[str, Any]], steps: tuple[table.Step, ...]
) -> None:
    with pytest.raises(RowFailed, match=r"(?s)expected .*, seen .*; before that:\n.*<-"):
        await RowRunner(Scripted(*frames)).run(row("bad", "", *steps))  # type: ignore[arg-type]


async def test_unexpected_keep_alive_frames_are_skipped_on_request() -> None:
    steps = (*connected(), INIT, expect(ACK), unsubscribe(), Silence())
    driver = Scripted(ACK, KEEP_ALIVE, ACK, KEEP_ALIVE, MARKED)
    await RowRunner(driver, ignore_keep_alive=True).run(row("far", "", *steps))  # type: ignore[arg-type]


def with_identifiers(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame with an identifier in the place of the pattern."""
    if frame["type"] != "publish_success":
        return frame
    entry = {"identifier": "0f8fad5b-d9cb-469f-a165-70867728950e", "index": 0}
    return {**frame, "successful": [entry]}
