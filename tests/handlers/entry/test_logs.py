"""Log lines of the functions."""

from __future__ import annotations

import io
import json
import logging

import pytest

from handlers.entry import logs


@pytest.mark.parametrize("text", ["plain", "Grüße ☎", "lone \ud800 surrogate", 'quotes " and \n lines'])
def test_any_text_is_one_json_line_that_says_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    logger = logs.configure()
    logs.info(logger, "said", text=text, userId="u")
    (line,) = written.getvalue().splitlines()
    said = json.loads(line)
    assert (said["message"], said["text"], said["userId"], said["level"]) == ("said", text, "u", "INFO")


def test_a_failure_is_told_with_its_traceback_on_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(written)])
    logger = logs.configure()
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logger.exception("failed")
    (line,) = written.getvalue().splitlines()
    assert "ValueError: what went wrong" in json.loads(line)["exception"]
