"""DynamoDB as the adapters use it: values, failures, and nothing else.

Values: text, numbers, booleans, lists, maps, and sets of text or numbers. None is left out of an item, since an index
key may not be null (Amazon DynamoDB: secondary indexes), and so an absent attribute stands for null everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.errors import OutcomeUnknownError, UnavailableError

Value = Mapping[str, Any]
"""A value as the wire has it, for example `{"S": "text"}`."""
Item = Mapping[str, Value]

_UNANSWERED = frozenset(
    {
        "InternalServerError",
        "ServiceUnavailable",
        "RequestTimeout",
        "TransactionInProgressException",
    }
)
"""Errors after which a write may nevertheless have happened."""
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "LimitExceededException",
    }
)
"""Errors that say that nothing happened, and that trying again helps."""


def to_value(value: Any) -> dict[str, Any]:
    """Return one value as the wire has it.

    Raises:
        TypeError: DynamoDB has no such type, or the set is empty or mixed.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case Mapping():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_value(each) for each in value]}
        case set() | frozenset() if value and all(isinstance(each, str) for each in value):
            return {"SS": sorted(value)}
        case set() | frozenset() if value and all(isinstance(each, int) for each in value):
            return {"NS": [str(each) for each in sorted(value)]}
    raise TypeError(f"DynamoDB cannot store {value!r}")


def to_item(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return an item (or a map) as the wire has it; attributes that are None are left out."""
    return {name: to_value(value) for name, value in values.items() if value is not None}


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def from_value(value: Value) -> Any:
    """Return a value from the wire: a whole number as int, another as float, a set as frozenset.

    Raises:
        TypeError: the type is none that the product stores.
    """
    for kind, content in value.items():
        match kind:
            case "S" | "BOOL":
                return content
            case "N":
                return _number(content)
            case "M":
                return from_item(content)
            case "L":
                return [from_value(each) for each in content]
            case "SS":
                return frozenset(content)
            case "NS":
                return frozenset(_number(each) for each in content)
            case "NULL":
                return None
    raise TypeError(f"unexpected DynamoDB value {value!r}")


def from_item(item: Item) -> dict[str, Any]:
    """Return an item (or a map) from the wire."""
    return {name: from_value(value) for name, value in item.items()}


def error_code(error: ClientError) -> str:
    """Return the service's name of an error, for example `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn a read's failures into `UnavailableError`; what the service refuses for good is a defect, and passes.

    Args:
        what: what is read, for people, for example `the conversation`.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in _THROTTLED | _UNANSWERED:
            raise UnavailableError(f"{what} could not be read just now; try again") from error
        raise
    except BotoCoreError as error:
        raise UnavailableError(f"{what} could not be read just now; try again") from error


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn a write's failures into `UnavailableError` (nothing happened) or `OutcomeUnknownError`; others pass.

    Args:
        what: what is written, for people, for example `the message`.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _THROTTLED:
            raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
        if code in _UNANSWERED:
            raise OutcomeUnknownError(f"{what}: {code}") from error
        raise
    except BotoCoreError as error:
        raise OutcomeUnknownError(f"{what}: {error}") from error


class Reason:
    """Why one action of a transaction was refused: `code` is `None` for an action that was fine."""

    __slots__ = ("code", "item")

    def __init__(self, code: str, item: dict[str, Any] | None) -> None:
        self.code = code
        self.item = item

    @property
    def refused(self) -> bool:
        """Whether the action's own condition failed; `item` then is what stood there."""
        return self.code == "ConditionalCheckFailed"


def cancellation(error: ClientError) -> list[Reason] | None:
    """Return why a transaction was cancelled, in the order of its actions; None for every other error."""
    if error_code(error) != "TransactionCanceledException":
        return None
    return [
        Reason(reason.get("Code", "None"), from_item(reason["Item"]) if reason.get("Item") else None)
        for reason in error.response.get("CancellationReasons", [])
    ]


_RIVALRY = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})
_CANCELLED_BY_LOAD = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


class TransactionCancelledError(Exception):
    """A transaction was cancelled, so that nothing of it happened; `reasons` are in the order of its actions."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


_PAUSE_SECONDS = 0.05
"""An unanswered transaction may still be under way; it is given a moment to end."""
TRANSACTION_TRIES = 2
"""How often a transaction is sent, each time with botocore's own attempts: more would outlast the route's timeout."""


def transact(client: Any, actions: list[dict[str, Any]], token: str, what: str) -> None:
    """Run one TransactWriteItems; where nobody answers, send it again with the same token, so that it happens once.

    Args:
        client: the DynamoDB client.
        actions: TransactItems; conditions should ask for ALL_OLD.
        token: ClientRequestToken: fresh for every different list of actions.
        what: what is written, for people.

    Raises:
        TransactionCancelledError: a condition failed, or another transaction is under way on an item.
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: nobody answered, each time.
        ClientError: the actions themselves are wrong, which is a defect.
    """
    for attempt in range(TRANSACTION_TRIES):
        try:
            with writing(what):
                client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
                return
        except ClientError as error:
            reasons = cancellation(error)
            if reasons is None:
                raise
            codes = {reason.code for reason in reasons} - _RIVALRY
            if not codes:
                raise TransactionCancelledError(reasons) from error
            if codes <= _CANCELLED_BY_LOAD:
                raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
            raise
        except OutcomeUnknownError:
            if attempt == TRANSACTION_TRIES - 1:
                raise
            time.sleep(_PAUSE_SECONDS)
