"""The deployed text of the handlers: valid APPSYNC_JS with the table names filled in, within AppSync's size limit."""

from __future__ import annotations

import re

import pytest
from appsync_events_local.limits import HANDLER_CODE_CHARACTERS as SERVICE_LIMIT
from appsync_events_local.runtime.compiler import compile_module
from hypothesis import given, settings
from service_harness.code_mutations import loaded_or_refused, mutated

from appsync_js.render import RenderError, namespaces, placeholders, render, source
from contract import tables
from contract.limits import HANDLER_CODE_CHARACTERS as CONTRACT_LIMIT

NAMES = {table.setting: table.name("prod") for table in tables.TABLES}


@pytest.mark.parametrize("namespace", namespaces())
def test_every_module_renders_to_valid_code(namespace: str) -> None:
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
def test_module_that_cannot_be_rendered_raises_with_the_reason(
    namespace: str, names: dict[str, str], words: str
) -> None:
    with pytest.raises(RenderError, match=re.escape(words)):
        render(namespace, names)


@pytest.mark.parametrize("table", ["", "it's", "a\\b", "a\nb", "`a`"])
def test_table_name_that_would_end_its_string_literal_is_refused(table: str) -> None:
    names = dict.fromkeys(placeholders("conversations"), "T") | {"MESSAGES_TABLE": table}
    with pytest.raises(RenderError, match="MESSAGES_TABLE is not a table name"):
        render("conversations", names)


def test_code_above_the_size_limit_is_refused() -> None:
    with pytest.raises(RenderError, match="AppSync allows at most 32768"):
        render("conversations", dict.fromkeys(placeholders("conversations"), "T" * 32_000))


def test_the_contract_and_the_events_service_have_the_same_limit_of_code() -> None:
    assert CONTRACT_LIMIT == SERVICE_LIMIT


@given(code=mutated({namespace: source(namespace) for namespace in namespaces()}))
@settings(max_examples=60, deadline=None)
def test_changed_handler_is_loaded_or_refused_with_a_reason(code: str) -> None:
    messages = loaded_or_refused(code)
    assert messages
    assert all(messages)
