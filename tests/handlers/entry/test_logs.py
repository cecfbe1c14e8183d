"""Log lines of the functions."""

from __future__ import annotations

import io
import json
import logging

import pytest

from handlers.entry import logs


@pytest.mark.parametrize("text", ["plain", "Grüße ☎", "lone \ud800 surrogate", 'quotes " and \n lines'])
def test_any_text_is_logged_as_one_json_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    logger = logs.configure()
    logs.info(logger, "logged", text=text, userId="u")
    (line,) = written.getvalue().splitlines()
    logged = json.loads(line)
    assert (logged["message"], logged["text"], logged["userId"], logged["level"]) == ("logged", text, "u", "INFO")


def test_exception_is_logged_with_its_traceback_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(written)])
    logger = logs.configure()
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logger.exception("failed")
    (line,) = written.getvalue().splitlines()
    assert "ValueError: what went wrong" in json.loads(line)["exception"]
