"""The log: readable by people and by programs, forgeable by nobody."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from appsync_events_local.observability.log import LogFormat, set_up_log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(stream: io.StringIO, form: LogFormat, text: str, **fields: str) -> str:
    set_up_log("INFO", form, stream)
    logging.getLogger("tests").warning("%s", text, extra={"about": fields})
    return stream.getvalue()


def test_a_line_says_when_how_serious_and_what() -> None:
    line = logged(io.StringIO(), LogFormat.TEXT, "connection 1 subscribed")
    assert line[12:] == " WARNING connection 1 subscribed\n"
    assert line[2] == line[5] == ":"


def test_only_a_terminal_gets_colours_and_only_if_it_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33mWARNING" in logged(Terminal(), LogFormat.TEXT, "x")
    assert "\x1b" not in logged(io.StringIO(), LogFormat.TEXT, "x")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in logged(Terminal(), LogFormat.TEXT, "x")


def test_a_client_can_neither_forge_a_line_nor_move_the_cursor() -> None:
    line = logged(io.StringIO(), LogFormat.TEXT, "user a\n12:00:00.000 INFO    forged\x1b[2J\x9b2J")
    assert line.count("\n") == 1
    assert "a\\x0a12:00" in line
    assert "\x1b" not in line
    assert "\x9b" not in line


def test_as_json_every_record_is_one_object_with_its_fields() -> None:
    entry = json.loads(logged(io.StringIO(), LogFormat.JSON, "a\nb", api="x", channel="/c"))
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "WARNING", "logger": "tests", "message": "a\nb", "api": "x", "channel": "/c"}


@pytest.mark.parametrize("form", LogFormat)
def test_an_exception_is_told_with_its_traceback(form: LogFormat) -> None:
    stream = io.StringIO()
    set_up_log("INFO", form, stream)
    try:
        raise ValueError("no such luck")
    except ValueError:
        logging.getLogger("tests").error("it failed", exc_info=sys.exc_info())
    assert "Traceback" in stream.getvalue()
    assert "no such luck" in stream.getvalue()
