"""Limits and cuts of text, by the vectors that every implementation is tested with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from client.state.inbox_entry import last_message as client_preview
from contract import limits
from contract.models import Message
from contract.requests import Content
from contract.text import cut, is_blank, preview
from handlers.core.messages.rules import last_message as stored_preview
from handlers.core.users.profile_rules import Account, first_profile
from tests.harness import vectors

VECTORS = vectors.load("text")


def _text(parts: Any) -> str | None:
    return None if parts is None else vectors.text_of(parts)


@pytest.mark.parametrize("case", VECTORS["preview"], ids=lambda case: case["name"])
def test_preview_is_cut_between_characters(case: dict[str, Any]) -> None:
    content, expected = _text(case["content"]), _text(case["preview"])
    assert preview(content) == expected
    message = Message(
        messageId="m", conversationId="c", senderId="u", timestamp="t", type="TEXT", seq=1, content=content
    )
    assert stored_preview(message).preview == expected
    assert client_preview(message).preview == expected


@pytest.mark.parametrize("case", VECTORS["blank"], ids=lambda case: ascii(case["text"][0]))
def test_blank_text_is_recognised(case: dict[str, Any]) -> None:
    assert is_blank(_text(case["text"])) is case["blank"]


@pytest.mark.parametrize("case", VECTORS["length"], ids=lambda case: ascii(case["text"])[:30])
def test_lengths_count_code_points(case: dict[str, Any]) -> None:
    text = vectors.text_of(case["text"])
    assert len(text) == case["characters"]
    assert cut(text, case["characters"]) == text


@pytest.mark.parametrize("case", VECTORS["limits"], ids=lambda case: case["name"])
def test_content_of_the_limit_is_accepted_and_one_more_is_refused(case: dict[str, str]) -> None:
    longest = case["character"] * limits.CONTENT_CHARACTERS
    assert msgspec.json.decode(msgspec.json.encode(longest), type=Content) == longest
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(longest + case["character"]), type=Content)


def test_name_from_the_user_pool_is_cut_between_characters() -> None:
    long = "a" * (limits.NAME_CHARACTERS - 1) + "👨‍👩‍👧"
    account = Account(user_id="u", email="u@example.org", email_verified=True, given_name=long, family_name=long)
    profile = first_profile(account, "2026-01-01T00:00:00.000Z")
    assert profile.firstName == profile.lastName == "a" * (limits.NAME_CHARACTERS - 1)
