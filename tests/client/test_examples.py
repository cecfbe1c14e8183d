"""The examples in client/README.md run as they are written."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import client
from client.api import targets
from tests.harness.client.backend import OTHER, ChatBackend

README = Path(client.__file__ or "").with_name("README.md")
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_of_the_readme_runs(
    number: int, backend: ChatBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def find(name: str = targets.LOCAL) -> targets.Target:
        return backend.target

    monkeypatch.setattr(targets, "find", find)
    code = compile(EXAMPLES[number], str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {"password": "a password", "grace_id": OTHER}
    result = eval(code, names)  # noqa: S307 - the repository's own README
    if inspect.iscoroutine(result):
        await result
    assert "Hello, Grace!" in capsys.readouterr().out


def test_the_readme_has_an_example() -> None:
    assert EXAMPLES
