"""The deployed text of the handlers: table names filled in, generated blocks up to date, within AppSync's size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from appsync_events_local.runtime.compiler import compile_module

import appsync_js.render as rendering
import tools.generate.handler_lists as generate
from appsync_js.render import RenderError, namespaces, placeholders, render
from contract import tables
from contract.events import event_types

NAMES = {table.setting: table.name("prod") for table in tables.TABLES}


@pytest.mark.parametrize("namespace", namespaces())
def test_every_module_renders_to_code_that_appsync_takes(namespace: str) -> None:
    wanted = placeholders(namespace)
    code = render(namespace, {name: NAMES[name] for name in wanted})
    assert compile_module(code).exports
    assert not re.search(r"__[A-Z_]+__", code)
    assert all(f"'{NAMES[name]}'" in code for name in wanted)


def test_placeholders_are_settings_of_tables() -> None:
    assert {name for namespace in namespaces() for name in placeholders(namespace)} <= set(NAMES)


@pytest.mark.parametrize(
    ("namespace", "names", "words"),
    [
        ("conversations", {}, "table names missing: CONVERSATION_COUNTERS_TABLE, "),
        ("chats", {"MESSAGES_TABLE": "x"}, "not used there: MESSAGES_TABLE"),
        ("typing", {}, "no handlers for namespace 'typing'; there are calls, chats"),
        ("../chats", {}, "no handlers for namespace"),
    ],
)
def test_what_cannot_be_rendered_says_why(namespace: str, names: dict[str, str], words: str) -> None:
    with pytest.raises(RenderError, match=re.escape(words)):
        render(namespace, names)


@pytest.mark.parametrize("table", ["", "it's", "a\\b", "a\nb", "`a`"])
def test_a_table_name_cannot_leave_its_string(table: str) -> None:
    names = dict.fromkeys(placeholders("conversations"), "T") | {"MESSAGES_TABLE": table}
    with pytest.raises(RenderError, match="MESSAGES_TABLE is no table name"):
        render("conversations", names)


def test_code_that_grows_too_long_is_refused() -> None:
    with pytest.raises(RenderError, match="AppSync takes at most 32768"):
        render("conversations", dict.fromkeys(placeholders("conversations"), "T" * 32_000))


def test_generated_blocks_are_up_to_date() -> None:
    assert generate.outdated() == []
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("namespace", namespaces())
def test_each_module_lists_the_event_types_of_the_contract(namespace: str) -> None:
    block = re.search(r"const EVENT_TYPES = \[(.*?)\];", rendering.source(namespace), re.DOTALL)
    assert block is not None
    assert tuple(re.findall(r"'(\w+)'", block.group(1))) == event_types(namespace)


def test_drift_is_found_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = rendering.source("chats").replace("  'MESSAGE_READ',\n", "")
    (tmp_path / "chats.js").write_text(stale, encoding="utf-8")
    monkeypatch.setattr(rendering, "_FOLDER", tmp_path)
    monkeypatch.setattr(generate, "_FOLDER", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "chats.js is out of date: run python -m tools.generate.handler_lists" in capsys.readouterr().err
    assert (tmp_path / "chats.js").read_text(encoding="utf-8") == stale, "--check changes nothing"
    assert generate.main([]) == 0
    assert "'MESSAGE_READ'" in (tmp_path / "chats.js").read_text(encoding="utf-8")
    assert generate.main(["--check"]) == 0
