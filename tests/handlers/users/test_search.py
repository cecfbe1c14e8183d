"""Search by name: matching, results and rate limit."""

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
from tests.harness.fakes import FakeClock
from tests.harness.functions import FunctionHarness


@pytest.fixture
def harness(aws: AwsResources) -> FunctionHarness:
    return FunctionHarness(aws, clock=SystemClock())


def _found(harness: FunctionHarness, caller: str, query: str, **options: Any) -> list[str]:
    """Search after the reads have caught up with the writes: a search is eventually consistent."""
    harness.aws.emulator.let_reads_catch_up()
    return [each["fullName"] for each in harness.call_ok(caller, "searchUsers", q=query, **options)["users"]]


def test_user_is_found_when_each_query_word_begins_a_word_of_the_name(harness: FunctionHarness) -> None:
    me = harness.user("Searching", "User")
    for first, last in [("José", "Álvarez"), ("Josephine", "Baker"), ("Ana María", "O'Brien-Smith"), ("Bo", "Jo")]:
        harness.user(first, last)
    assert sorted(_found(harness, me, "jos")) == ["Josephine Baker", "José Álvarez"]
    assert _found(harness, me, "JOSE alv") == ["José Álvarez"]
    assert _found(harness, me, "alv JOSÉ") == ["José Álvarez"]
    assert _found(harness, me, "j alvarez") == ["José Álvarez"]
    assert _found(harness, me, "obrien") == ["Ana María O'Brien-Smith"]
    assert _found(harness, me, "o’brien ana") == ["Ana María O'Brien-Smith"]  # noqa: RUF001  # users type this character
    assert _found(harness, me, "smith") == ["Ana María O'Brien-Smith"]
    assert _found(harness, me, "jo bo") == ["Bo Jo"]
    assert _found(harness, me, "baker maria") == []
    assert _found(harness, me, "osephine") == []


def test_caller_is_not_found_and_other_users_are_found_once(harness: FunctionHarness) -> None:
    me = harness.user("Sam", "Samson")
    harness.user("Samuel", "Samuelson")
    assert _found(harness, me, "sam") == ["Samuel Samuelson"]


def test_search_returns_public_fields_and_at_most_limit_users(harness: FunctionHarness) -> None:
    me = harness.user("Searching", "User")
    for number in range(limits.SEARCH_RESULTS + 2):
        harness.user(f"Twin{number:02}", "Example")
    harness.aws.emulator.let_reads_catch_up()
    users = harness.call_ok(me, "searchUsers", q="twin")["users"]
    assert len(users) == limits.SEARCH_RESULTS
    assert all("email" not in user for user in users)
    assert len(_found(harness, me, "twin", limit=3)) == 3


def test_changed_name_is_found_and_the_old_name_no_longer(harness: FunctionHarness) -> None:
    me, ada = harness.user("Searching", "User"), harness.user("Ada", "Byron")
    harness.call_ok(ada, "updateMe", {"lastName": "Lovelace"})
    assert _found(harness, me, "lovelace") == ["Ada Lovelace"]
    assert _found(harness, me, "byron") == []
    assert _found(harness, me, "ada") == ["Ada Lovelace"]
    words = {item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH) if item["userId"] == ada}
    assert words == {"ada", "lovelace"}


@pytest.mark.parametrize("query", ["a", "  ", "a b", "--", "'", "x" * (limits.SEARCH_QUERY_CHARACTERS + 1)])
def test_query_without_a_word_of_two_letters_or_too_long_is_refused(harness: FunctionHarness, query: str) -> None:
    response = harness.call(harness.user(), "searchUsers", q=query)
    assert (response.status, response.body["error"]["field"]) == (400, "q")


def test_concurrent_searches_are_limited_exactly(aws: AwsResources) -> None:
    harness = FunctionHarness(aws, clock=FakeClock())
    ada, bob = harness.users(2)
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: harness.call(ada, "searchUsers", q="user"), range(26)))
    statuses = [response.status for response in responses]
    assert statuses.count(200) == limits.SEARCH_RATE.count
    assert statuses.count(429) == 26 - limits.SEARCH_RATE.count
    refused = next(response for response in responses if response.status == 429)
    assert int(refused.headers["retry-after"]) == limits.SEARCH_RATE.retry_after(harness.clock.now() / 1000)
    assert harness.call(bob, "searchUsers", q="user").status == 200


_names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


def test_folding_is_idempotent_for_every_character() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    again = {
        character
        for character in characters
        if profile_rules.fold(profile_rules.fold(character)) != profile_rules.fold(character)
    }
    assert not again


@given(_names)
@example("㎐")
def test_every_prefix_of_a_word_matches_the_name(name: str) -> None:
    for word in profile_rules.search_words(name):
        for end in range(1, len(word) + 1):
            assert profile_rules.matches(name, (word[:end],))
        assert profile_rules.search_words(word) == (word,)


@given(_names)
def test_composed_and_decomposed_names_have_the_same_search_words(name: str) -> None:
    composed = unicodedata.normalize("NFC", name)
    assert profile_rules.search_words(composed) == profile_rules.search_words(unicodedata.normalize("NFD", composed))


def test_name_of_many_words_fits_one_transaction(harness: FunctionHarness) -> None:
    ada = harness.user("Ada", "Lovelace")
    harness.call_ok(
        ada, "updateMe", {"firstName": " ".join(f"a{letter}" for letter in ascii_lowercase), "lastName": "b " * 40}
    )
    harness.call_ok(ada, "updateMe", {"firstName": " ".join(f"c{letter}" for letter in ascii_lowercase)})
    words = [item["token"].split("#")[0] for item in harness.aws.scan(tables.USER_SEARCH)]
    assert len(words) == limits.SEARCH_WORDS_MAX
    assert all(word.startswith("c") for word in words)
