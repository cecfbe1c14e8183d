"""Stores the missing memberships and numbers, by requests to the bridge function, which alone knows how."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ops.cutover.stored import Stored
from ops.errors import CommandError

BATCH: Final = 20
"""Conversations or messages of one request: far less than the function's timeout."""

Invoke = Callable[[dict[str, Any]], dict[str, int]]
"""Invokes the bridge function with a request and returns its counts."""


def requests(stored: Stored) -> Iterator[dict[str, Any]]:
    """Yield the requests: memberships first, then messages in the order of their timestamps."""
    conversations = [each.conversation_id for each in stored.without_members() if each.complete]
    for batch in _batches(conversations):
        yield {"conversations": batch}
    keys = [
        {"conversationId": each.conversation_id, "timestamp": each.timestamp}
        for each in sorted(stored.waiting(), key=lambda each: each.timestamp)
    ]
    for batch in _batches(keys):
        yield {"messages": batch}


def run(stored: Stored, invoke: Invoke, *, rate: int, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Send every request, and return what was done.

    What was done before an error stays done; a repeated run finds only the rest.

    Args:
        stored: what is stored.
        invoke: invokes the function.
        rate: most conversations and messages per second.
        progress: called with the number of requests and items done so far.
    """
    counts: Counter[str] = Counter()
    done = 0
    for request in requests(stored):
        began = time.monotonic()
        counts.update(invoke(request))
        size = sum(len(each) for each in request.values())
        done += size
        progress("backfill", done)
        time.sleep(max(0.0, size / rate - (time.monotonic() - began)))
    return dict(counts)


def invocation(client: Any, function: str) -> Invoke:
    """Return the invocation of a deployed function.

    Args:
        client: the `lambda` client.
        function: its name.
    """

    def invoke(request: dict[str, Any]) -> dict[str, int]:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
        content = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            reason = content.get("errorMessage", "no reason given")
            raise CommandError(f"{function} failed: {reason}. What was done before stays done; run the command again.")
        counts: dict[str, int] = content
        return counts

    return invoke


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), BATCH):
        yield list(items[start : start + BATCH])
