"""Values on their way into DynamoDB and back, instants, and what a process remembers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from contract import tables
from handlers.adapters.dynamodb.client import reading, writing
from handlers.adapters.dynamodb.codec import from_item, from_value, to_item, to_value
from handlers.adapters.dynamodb.conversations import reader as conversation_reader
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.dynamodb.transactions import TRANSACTION_TRIES, TransactionCancelledError, cancellation, transact
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.timestamps import from_iso, to_iso
from tests.harness.emulator import AwsResources
from tests.harness.faults import FaultInjector, FaultyClient
from tests.harness.seeds import seed_conversation, user_ids

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(-1e60, 1e60, allow_nan=False).filter(
    lambda x: abs(x) > 1e-60 or not x
)
LEAVES = st.text() | st.booleans() | NUMBERS | st.frozensets(st.text(min_size=1), min_size=1)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner), max_leaves=8)


def decimals(value: Any) -> Any:
    """Return a value with the numbers that boto3 insists on."""
    match value:
        case bool():
            return value
        case float() | int():
            return Decimal(repr(value))
        case dict():
            return {key: decimals(each) for key, each in value.items()}
        case list():
            return [decimals(each) for each in value]
    return value


@given(VALUES)
def test_values_come_back_as_they_went(value: Any) -> None:
    assert from_value(to_value(value)) == value


@given(VALUES)
def test_boto3_reads_our_values_and_we_read_those_of_boto3(value: Any) -> None:
    assert TypeDeserializer().deserialize(to_value(value)) == decimals(value)
    assert from_value(TypeSerializer().serialize(decimals(value))) == value


def test_what_is_absent_is_left_out_and_what_has_no_type_is_refused() -> None:
    assert to_item({"a": None, "b": {"c": None}}) == {"b": {"M": {}}}
    assert to_item({"n": frozenset({3, 1})}) == {"n": {"NS": ["1", "3"]}}
    assert from_item({"n": {"NS": ["1", "3"]}, "nothing": {"NULL": True}}) == {"n": frozenset({1, 3}), "nothing": None}
    for value in (object(), set(), {1, "a"}, b"bytes"):
        with pytest.raises(TypeError):
            to_value(value)
    with pytest.raises(TypeError):
        from_value({"B": b""})


@given(st.integers(0, 4_000_000_000_000))
def test_instants_are_dates_as_javascript_writes_them_and_sort_as_text(milliseconds: int) -> None:
    text = to_iso(milliseconds)
    assert from_iso(text) == milliseconds
    assert text < to_iso(milliseconds + 1)
    assert datetime.fromisoformat(text).tzinfo == UTC
    assert len(text) == len("2026-01-01T00:00:00.000Z")


def test_a_date_without_a_zone_is_no_instant() -> None:
    for text in ("2026-01-01T00:00:00", "2026-01-01", "soon", ""):
        with pytest.raises(ValueError):
            from_iso(text)


def error(code: str, **answer: Any) -> ClientError:
    """Return a service's error."""
    return ClientError({"Error": {"Code": code, "Message": code}, **answer}, "Operation")


@pytest.mark.parametrize(
    ("cause", "read", "written"),
    [
        (error("ProvisionedThroughputExceededException"), UnavailableError, UnavailableError),
        (error("ThrottlingException"), UnavailableError, UnavailableError),
        (error("InternalServerError"), UnavailableError, OutcomeUnknownError),
        (error("TransactionInProgressException"), UnavailableError, OutcomeUnknownError),
        (ConnectTimeoutError(endpoint_url="http://x"), UnavailableError, OutcomeUnknownError),
        (error("ValidationException"), ClientError, ClientError),
        (error("ResourceNotFoundException"), ClientError, ClientError),
        (KeyError("defect"), KeyError, KeyError),
    ],
)
def test_a_failed_read_never_happened_and_a_failed_write_perhaps_did(
    cause: Exception, read: type[Exception], written: type[Exception]
) -> None:
    with pytest.raises(read), reading("it"):
        raise cause
    with pytest.raises(written), writing("it"):
        raise cause


def test_a_cancelled_transaction_says_which_action_was_refused_and_what_stood_there() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"a": {"N": "1"}}}]
    found = cancellation(error("TransactionCanceledException", CancellationReasons=reasons))
    assert found is not None
    first, second = found
    assert (first.refused, first.item) == (False, None)
    assert (second.refused, second.item) == (True, {"a": 1})
    assert cancellation(error("ValidationException")) is None


class Scripted:
    """A client whose transactions end as listed, and then well."""

    def __init__(self, *ends: Exception) -> None:
        self.ends = list(ends)
        self.tokens: list[str] = []

    def transact_write_items(self, **request: Any) -> None:
        """End as the next entry says."""
        self.tokens.append(request["ClientRequestToken"])
        if self.ends:
            raise self.ends.pop(0)


def test_an_unanswered_transaction_is_repeated_under_the_same_token() -> None:
    for code in ("InternalServerError", "TransactionInProgressException"):
        client = Scripted(error(code))
        transact(client, [], "token", "it")
        assert client.tokens == ["token"] * 2


def test_a_transaction_that_nobody_ever_answers_is_given_up_as_unknown() -> None:
    client = Scripted(*(error("InternalServerError") for _ in range(9)))
    with pytest.raises(OutcomeUnknownError):
        transact(client, [], "token", "it")
    assert len(client.tokens) == TRANSACTION_TRIES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ConditionalCheckFailed", TransactionCancelledError),
        ("TransactionConflict", TransactionCancelledError),
        ("ThrottlingError", UnavailableError),
        ("ProvisionedThroughputExceeded", UnavailableError),
        ("ValidationError", ClientError),
        ("ItemCollectionSizeLimitExceeded", ClientError),
    ],
)
def test_only_rivals_cancel_a_transaction_throttling_is_unavailable_and_a_defect_is_a_defect(
    code: str, expected: type[Exception]
) -> None:
    reasons = [{"Code": "None"}, {"Code": code}]
    client = Scripted(error("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(expected):
        transact(client, [], "token", "it")
    assert len(client.tokens) == 1


def test_a_process_remembers_the_conversations_it_used_last_and_no_more(
    aws: AwsResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_reader, "REMEMBERED", 2)
    calls = FaultInjector()
    reader = DynamoConversationReader(FaultyClient(aws.dynamodb, calls), aws.table(tables.CONVERSATIONS))
    ids = [seed_conversation(aws, user_ids(2)) for _ in range(3)]
    for each in ids:
        assert reader.read(each) == reader.recall(each)
    assert reader.recall(ids[0]) is None
    assert reader.recall(ids[2]) is not None
    assert reader.read("nowhere") is None
    assert calls.calls == ["get_item"] * 4
