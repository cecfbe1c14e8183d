"""Rules of Lambda."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from local.emulator.strict.rules.rule import Rule, Switches

ACCOUNT_EXECUTIONS: Final = 1_000
"""Concurrent executions of an account. A new account has 10."""
DUPLICATE_SHARE: Final = 0.02
"""Enough for a run of the tests to see some, with most deliveries single."""
_GUIDE: Final = "https://docs.aws.amazon.com/lambda/latest/dg"
_SQS: Final = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class FunctionSwitches(Switches, frozen=True):
    """Which rules of Lambda are on, and their sizes.

    Args:
        payload_sizes, execution_limit, asynchronous_retries, frozen_processes, duplicate_deliveries,
            reordered_records: the switches of the rules of that name.
        concurrent_executions: how many invocations of all functions run at once.
        asynchronous_retry_seconds: pause before the first retry; the second is twice as long. AWS waits 60 s.
        duplicate_share: share of the deliveries that are repeated.
        delivery_seed: repeats which ones, and the orders.
    """

    payload_sizes: bool = True
    execution_limit: bool = True
    asynchronous_retries: bool = True
    frozen_processes: bool = True
    duplicate_deliveries: bool = True
    reordered_records: bool = True
    concurrent_executions: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = ACCOUNT_EXECUTIONS
    asynchronous_retry_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 1.0
    duplicate_share: Share = DUPLICATE_SHARE
    delivery_seed: int = 0


RULES: Final = (
    Rule(
        "payload_sizes",
        request="Invoke with more than 6 MB, or more than 1 MB for an asynchronous invocation; a function that answers "
        "with more than 6,291,556 bytes of JSON",
        effect="RequestTooLargeException (413); the answer fails the invocation with Function.ResponseSizeTooLarge "
        "after the function has done its work, and a client of an HTTP API gets 500",
        alone="accepts payloads of any size",
        source="AWS Lambda developer guide, 'Lambda quotas'",
        link=f"{_GUIDE}/gettingstarted-limits.html",
    ),
    Rule(
        "execution_limit",
        request="More concurrent invocations, of all functions together, than the account's quota: 1,000, or 10 in a "
        "new account (settable)",
        effect="TooManyRequestsException (429); a client of an HTTP API gets 503, event sources and asynchronous "
        "invocations try again",
        alone="takes its limit from the machine's memory, and shows clients of an HTTP API the 429",
        source="AWS Lambda developer guide, 'Understanding Lambda function scaling'",
        link=f"{_GUIDE}/lambda-concurrency.html",
    ),
    Rule(
        "asynchronous_retries",
        request="An asynchronous invocation that fails or is throttled",
        effect="A failure is repeated twice, after 1 and 2 minutes (here seconds), or as the EventInvokeConfig of the "
        "invoked version or alias says; throttling until the maximum event age, 6 hours. Then the event itself goes to "
        "the dead letter queue, and a record of the invocation to the failure destination",
        alone="ignores the configuration of an alias, gives a throttled event up after three attempts, and sends the "
        "record, also to a dead letter queue, to one of the two",
        source="AWS Lambda developer guide, 'How Lambda handles errors and retries with asynchronous invocation'",
        link=f"{_GUIDE}/invocation-async-error-handling.html",
    ),
    Rule(
        "frozen_processes",
        request="A thread or timer that a function leaves behind when its invocation ends",
        effect="It stands still until the next invocation of the same process. A process that exceeds its timeout is "
        "killed",
        alone="lets it go on, and lets a process that ignores SIGTERM go on for 2 s after its timeout (this one is "
        "corrected always)",
        source="AWS Lambda developer guide, 'Understanding the Lambda execution environment lifecycle'",
        link=f"{_GUIDE}/lambda-runtime-environment.html",
    ),
    Rule(
        "duplicate_deliveries",
        request="A batch of a queue or a stream, or the event of a rule",
        effect="A share of them (2 %, settable) is delivered twice, the second time within a second",
        alone="delivers each once",
        source="AWS Lambda developer guide, 'How Lambda processes records from stream and queue-based event sources'",
        link=f"{_GUIDE}/invocation-eventsourcemapping.html",
    ),
    Rule(
        "reordered_records",
        request="A batch of a standard queue or of a stream; a batch response that names an unknown message",
        effect="Messages of a queue come in any order, records of a stream in the order of each item. The batch "
        "response fails the whole batch",
        alone="keeps the order of arrival, and takes the unknown message for a success",
        source="Amazon Simple Queue Service developer guide, 'Amazon SQS standard queues'",
        link=f"{_SQS}/standard-queues.html",
    ),
)
