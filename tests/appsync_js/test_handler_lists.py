"""The generated blocks of the handler modules: up to date with the contract, and rewritten by the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import appsync_js.render as rendering
import tools.generate.handler_lists as generate
from appsync_js.render import namespaces
from contract.events import event_types


def test_generated_blocks_are_up_to_date() -> None:
    assert generate.outdated() == []
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("namespace", namespaces())
def test_each_module_lists_the_event_types_of_the_contract(namespace: str) -> None:
    block = re.search(r"const EVENT_TYPES = \[(.*?)\];", rendering.source(namespace), re.DOTALL)
    assert block is not None
    assert tuple(re.findall(r"'(\w+)'", block.group(1))) == event_types(namespace)


def test_outdated_block_fails_the_check_and_is_rewritten(
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
