"""Search by name: what matches, who is found, and how often one may ask."""

from __future__ import annotations

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract import limits, tables
from handlers.adapters.system import SystemClock
from handlers.core.users import profile_rules
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


class _Noon:
    """A clock that stands still, so that no window of the rate limit ends within a test."""

    def now(self) -> int:
        return 1_800_000_000_000

    def pause(self, seconds: float) -> None:
        return


def _found(harness: FunctionHarness, caller: str, query: str, **options: Any) -> list[str]:
    return [each["fullName"] for each in harness.call_ok(caller, "searchUsers", q=query, **options)["users"]]


def test_each_word_of_the_query_begins_a_word_of_the_name(harness: FunctionHarness) -> None:
    me = harness.user("Searching", "User")
    for first, last in [("José", "Álvarez"), ("Josephine", "Baker"), ("Ana María", "O'Brien-Smith"), ("Bo", "Jo")]:
        harness.user(first, last)
    assert sorted(_found(harness, me, "jos")) == ["Josephine Baker", "José Álvarez"]
    assert _found(harness, me, "JOSE alv") == ["José Álvarez"]
    assert _found(harness, me, "alv JOSÉ") == ["José Álvarez"]
    assert _found(harness, me, "j alvarez") == ["José Álvarez"]
    assert _found(harness, me, "obrien") == ["Ana María O'Brien-Smith"]
    assert _found(harness, me, "o’brien ana") == ["Ana María O'Brien-Smith"]  # noqa: RUF001  # people type it so
    assert _found(harness, me, "smith") == ["Ana María O'Brien-Smith"]
    assert _found(harness, me, "jo bo") == ["Bo Jo"]
    assert _found(harness, me, "baker maria") == []
    assert _found(harness, me, "osephine") == []


def test_the_caller_is_not_found_and_nobody_twice(harness: FunctionHarness) -> None:
    me = harness.user("Sam", "Samson")
    harness.user("Samuel", "Samuelson")
    assert _found(harness, me, "sam") == ["Samuel Samuelson"]


def test_only_public_fields_are_found_and_as_many_as_asked_for(harness: FunctionHarness) -> None:
    me = harness.user("Searching", "User")
    for number in range(limits.SEARCH_RESULTS + 2):
        harness.user(f"Twin{number:02}", "Example")
    users = harness.call_ok(me, "searchUsers", q="twin")["users"]
    assert len(users) == limits.SEARCH_RESULTS
    assert all("email" not in user for user in users)
    assert len(_found(harness, me, "twin", limit=3)) == 3


def test_a_new_name_is_found_at_once_and_the_old_one_no_more(harness: FunctionHarness) -> None:
    me, ada = harness.user("Searching", "User"), harness.user("Ada", "Byron")
    harness.call_ok(ada, "updateMe", {"lastName": "Lovelace"})
    assert _found(harness, me, "lovelace") == ["Ada Lovelace"]
    assert _found(harness, me, "byron") == []
    assert _found(harness, me, "ada") == ["Ada Lovelace"]
    words = {item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH) if item["userId"] == ada}
    assert words == {"ada", "lovelace"}


@pytest.mark.parametrize("query", ["a", "  ", "a b", "--", "'", "x" * (limits.SEARCH_QUERY_CHARACTERS + 1)])
def test_a_query_without_a_word_of_two_letters_or_too_long_is_refused(harness: FunctionHarness, query: str) -> None:
    answer = harness.call(harness.user(), "searchUsers", q=query)
    assert (answer.status, answer.body["error"]["field"]) == (400, "q")


def test_exactly_as_many_searches_as_allowed_are_answered_however_many_come_at_once(aws: AwsResources) -> None:
    harness = FunctionHarness(aws, clock=_Noon())
    ada, bob = harness.users(2)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: harness.call(ada, "searchUsers", q="user"), range(26)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == limits.SEARCH_RATE.count
    assert statuses.count(429) == 26 - limits.SEARCH_RATE.count
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) == limits.SEARCH_RATE.retry_after(_Noon().now() / 1000)
    assert harness.call(bob, "searchUsers", q="user").status == 200


_names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


def test_folding_a_character_again_changes_nothing() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    again = {
        character
        for character in characters
        if profile_rules.fold(profile_rules.fold(character)) != profile_rules.fold(character)
    }
    assert not again


@given(_names)
@example("㎐")
def test_every_word_of_a_name_finds_the_name_whole_or_begun(name: str) -> None:
    for word in profile_rules.words(name):
        for end in range(1, len(word) + 1):
            assert profile_rules.matches(name, (word[:end],))
        assert profile_rules.words(word) == (word,)


@given(_names)
def test_case_and_accents_make_no_difference_to_latin_names(name: str) -> None:
    composed = unicodedata.normalize("NFC", name)
    assert profile_rules.words(composed) == profile_rules.words(unicodedata.normalize("NFD", composed))


def test_a_name_of_very_many_words_keeps_within_one_transaction(harness: FunctionHarness) -> None:
    ada = harness.user("Ada", "Lovelace")
    harness.call_ok(
        ada, "updateMe", {"firstName": " ".join(f"a{letter}" for letter in ascii_lowercase), "lastName": "b " * 40}
    )
    harness.call_ok(ada, "updateMe", {"firstName": " ".join(f"c{letter}" for letter in ascii_lowercase)})
    words = [item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH)]
    assert len(words) == limits.SEARCH_WORDS_MAX
    assert all(word.startswith("c") for word in words)
