"""The unmodified Amplify client of the repository's lock file, in Node and in Chromium, in every mode."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.model.auth_providers import AuthMode
from service_harness.every_mode import EveryMode

from tests.clients import amplify
from tests.clients.conftest import Node

pytestmark = pytest.mark.asyncio(loop_scope="module")


Results = dict[AuthMode, dict[str, Any]]


@pytest.fixture(scope="module")
def given(api: EveryMode) -> str:
    """The argument of `converse` for each mode."""
    return json.dumps([amplify.arguments_of(api, mode) for mode in AuthMode])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_node(given: str, node: Node) -> Results:
    """The result of each mode, in one Node process."""
    lines = await node("amplify_node.mjs", given)
    return dict(zip(AuthMode, map(json.loads, lines), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_chromium(given: str, node: Node, page: str, browser: str) -> Results:
    """The result of each mode, in one browser."""
    lines = await node("amplify_chromium.mjs", browser, page, given, seconds=110)
    return dict(zip(AuthMode, map(json.loads, lines), strict=True))


@pytest.mark.parametrize("mode", AuthMode)
async def test_amplify_in_node_subscribes_publishes_and_is_refused(in_node: Results, mode: AuthMode) -> None:
    amplify.check(in_node[mode])


@pytest.mark.browser
@pytest.mark.parametrize("mode", AuthMode)
async def test_amplify_in_chromium_subscribes_publishes_and_is_refused(in_chromium: Results, mode: AuthMode) -> None:
    amplify.check(in_chromium[mode])
    assert in_chromium[mode]["errors"] == []
