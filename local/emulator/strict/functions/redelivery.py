"""Batches of queues and streams: repeated, and in another order.

AWS Lambda developer guide, "How Lambda processes records from stream and queue-based event sources": "event source
mappings process each event at least once, and duplicate processing of records can occur".
"""

from __future__ import annotations

import contextvars
import copy
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from local.emulator.strict.chance import Chance
from local.emulator.strict.rules.functions import FunctionSwitches

_LOGGER = logging.getLogger("local.strict")

QUEUE: Final = "aws:sqs"
STREAM: Final = "aws:dynamodb"
LATEST_SECONDS: Final = 1.0
"""How long after the first delivery the second one starts at most."""

Result = dict[str, Any]
Records = list[dict[str, Any]]
Execute = Callable[[dict[str, Any], Any], Result]


class Redelivery:
    """Delivers the batches of event source mappings.

    Args:
        rules: returns the present rules.
        chance: decides.
        pause: waits some seconds.
    """

    def __init__(
        self, rules: Callable[[], FunctionSwitches], chance: Chance, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._rules, self._chance, self._pause = rules, chance, pause

    def deliver(self, execute: Execute, function: dict[str, Any], event: Any) -> Result:
        """Run a function with a batch; other events pass through.

        Args:
            execute: runs a function with an event.
            function: the function's record.
            event: what it gets.
        """
        source = source_of(event)
        if source is None:
            return execute(function, event)
        rules = self._rules()
        if rules.reordered_records:
            event = {**event, "Records": self._reordered(source, event["Records"])}
        result = execute(function, event)
        if rules.reordered_records and source == QUEUE and names_unknown_message(result, event["Records"]):
            reason = {"errorType": "Lambda.BatchResponse", "errorMessage": "a failure names no message of the batch"}
            return {"error": True, "body": reason, "log": result.get("log", "")}
        doubled = rules.duplicate_deliveries and not result.get("error")
        if doubled and self._chance.strikes(rules.duplicate_share):
            self._repeat(execute, function, _received_again(source, event))
        return result

    def _reordered(self, source: str, records: Records) -> Records:
        if source == STREAM:
            return self._reordered_across_items(records)
        shuffled = list(records)
        self._chance.shuffle(shuffled)
        return shuffled

    def _reordered_across_items(self, records: Records) -> Records:
        """Shuffle the records; those of one item keep their order, as within a shard."""
        keys = [json.dumps(record.get("dynamodb", {}).get("Keys"), sort_keys=True) for record in records]
        waiting: dict[str, Records] = {}
        for key, record in zip(keys, records, strict=True):
            waiting.setdefault(key, []).append(record)
        self._chance.shuffle(keys)
        return [waiting[key].pop(0) for key in keys]

    def _repeat(self, execute: Execute, function: dict[str, Any], event: Any) -> None:
        def deliver_again() -> None:
            self._pause(self._chance.between(0.0, LATEST_SECONDS))
            execute(function, event)

        _LOGGER.info("a batch of %s records is delivered twice", len(event["Records"]))
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(deliver_again,), daemon=True, name="redelivery").start()


def source_of(event: Any) -> str | None:
    """Return the kind of event source that a batch comes from, or None for other events."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records or not isinstance(records[0], dict):
        return None
    source = records[0].get("eventSource")
    return source if source in (QUEUE, STREAM) else None


def names_unknown_message(result: Result, records: Records) -> bool:
    """Return whether a batch response names a message that is not of the batch.

    Source: AWS Lambda developer guide, "Handling errors for an SQS event source": then the whole batch has failed.
    """
    body = result.get("body")
    failures = body.get("batchItemFailures") if isinstance(body, dict) else None
    if not failures:
        return False
    known = {record["messageId"] for record in records}
    return any(not isinstance(each, dict) or each.get("itemIdentifier") not in known for each in failures)


def _received_again(source: str, event: Any) -> Any:
    repeated = copy.deepcopy(event)
    if source == QUEUE:
        for record in repeated["Records"]:
            count = int(record["attributes"].get("ApproximateReceiveCount", "1"))
            record["attributes"]["ApproximateReceiveCount"] = str(count + 1)
    return repeated
