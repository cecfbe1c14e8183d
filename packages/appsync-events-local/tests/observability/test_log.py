"""The log as text and as JSON: fields, colours and escaped control characters."""

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


def test_log_line_has_time_level_and_message() -> None:
    line = logged(io.StringIO(), LogFormat.TEXT, "connection 1 subscribed")
    assert line[12:] == " WARNING connection 1 subscribed\n"
    assert line[2] == line[5] == ":"


def test_colours_are_written_only_to_a_terminal_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33mWARNING" in logged(Terminal(), LogFormat.TEXT, "x")
    assert "\x1b" not in logged(io.StringIO(), LogFormat.TEXT, "x")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in logged(Terminal(), LogFormat.TEXT, "x")


def test_control_characters_in_log_messages_are_escaped() -> None:
    line = logged(io.StringIO(), LogFormat.TEXT, "user a\n12:00:00.000 INFO    forged\x1b[2J\x9b2J")
    assert line.count("\n") == 1
    assert "a\\x0a12:00" in line
    assert "\x1b" not in line
    assert "\x9b" not in line


def test_json_log_writes_one_object_per_record() -> None:
    entry = json.loads(logged(io.StringIO(), LogFormat.JSON, "a\nb", api="x", channel="/c"))
    assert entry.pop("time").endswith("+00:00")
    assert entry == {"level": "WARNING", "logger": "tests", "message": "a\nb", "api": "x", "channel": "/c"}


@pytest.mark.parametrize("form", LogFormat)
def test_exception_is_logged_with_its_traceback(form: LogFormat) -> None:
    stream = io.StringIO()
    set_up_log("INFO", form, stream)
    try:
        raise ValueError("no such luck")
    except ValueError:
        logging.getLogger("tests").error("it failed", exc_info=sys.exc_info())
    assert "Traceback" in stream.getvalue()
    assert "no such luck" in stream.getvalue()
