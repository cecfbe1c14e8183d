"""Every limit of the product that is not a setting of one environment, each with its reason.

Limits that AWS sets are named after their source; the others are the product's own.
"""

from __future__ import annotations

from typing import Final

# Messages
CONTENT_CHARACTERS: Final = 8_000
"""Longest `content` of a message. Four bytes a character keeps the event far below AppSync's 240 KB."""
PREVIEW_CHARACTERS: Final = 120
"""Characters of a message that the conversation list shows."""
MEDIA_URL_CHARACTERS: Final = 2_048
FILE_NAME_CHARACTERS: Final = 255
FILE_SIZE_BYTES: Final = 5 * 1024**3
"""Largest `fileSize` a message may announce (one S3 PUT)."""
DURATION_SECONDS: Final = 4 * 60 * 60
"""Longest `duration` an AUDIO or VIDEO message may announce."""
TEMP_ID_CHARACTERS: Final = 64
ID_CHARACTERS: Final = 64

# History
HISTORY_PAGE: Final = 50
"""Messages of one history page when `limit` is absent."""
HISTORY_PAGE_MAX: Final = 100
GAP_MESSAGES_MAX: Final = 200
"""Most messages a gap answer holds; a client further behind is told to reload."""
GAP_CHANGES_MAX: Final = 200
"""Most edits and deletions a gap answer holds; a client further behind is told to reload."""
CHANGE_RETENTION_DAYS: Final = 30
"""How long an edit or deletion can be recovered by its number; an older client is told to reload."""

# Conversations
CONVERSATIONS_PAGE: Final = 30
CONVERSATIONS_PAGE_MAX: Final = 100
CONVERSATIONS_PER_USER: Final = 1_000
"""Most conversations one user may be in: the list reads all of them to order them exactly."""
GROUP_MEMBERS_MAX: Final = 1_000
MEMBERS_PER_REQUEST: Final = 90
"""Most users one request may name: they, the group and its events fit one transaction of 100 actions."""
HIDDEN_MESSAGES_EXAMINED: Final = 1_000
"""Newest messages of a direct conversation that the list looks at where some are hidden from the reader."""
GROUP_NAME_CHARACTERS: Final = 100
DESCRIPTION_CHARACTERS: Final = 500
TAGS_MAX: Final = 10
TAG_CHARACTERS: Final = 40
CLASS_CODE_CHARACTERS: Final = 20
SEMESTER_CHARACTERS: Final = 20

# Users
NAME_CHARACTERS: Final = 80
BIO_CHARACTERS: Final = 500
MAJOR_CHARACTERS: Final = 80
INTERESTS_MAX: Final = 20
INTEREST_CHARACTERS: Final = 40
SEARCH_WORDS_MAX: Final = 20
"""Words of a name by which a user can be found."""
SEARCH_QUERY_CHARACTERS: Final = 80
SEARCH_RESULTS: Final = 10
SEARCH_RESULTS_MAX: Final = 20
SEARCH_PREFIX_CHARACTERS: Final = 2
"""A search needs at least this many letters: it is the partition of the search table."""
BLOCKS_PER_USER: Final = 1_000

# Calls
CALL_PARTICIPANTS_MAX: Final = 40
"""Most participants of one call, the caller included: each has a lock and a row in the transaction of 100 actions."""
CALLS_PAGE: Final = 20
CALLS_PAGE_MAX: Final = 50
CALLS_EXAMINED: Final = 1_000
"""Calls that one page of a list with `state` looks at; a page may then be short, and its cursor goes on."""
DEVICE_ID_CHARACTERS: Final = 64
GIVEN_NAME_CHARACTERS: Final = 256
"""Longest name that a client may send along; it is ignored."""
CALL_HOURS_MAX: Final = 24
"""Longest call: Chime ends every meeting then (Amazon Chime SDK: service quotas)."""
RING_GRACE_SECONDS: Final = 10
"""How long after the end of its ringing a call is left to its timer before the sweep ends it."""
CALL_CHECK_SECONDS: Final = 120
"""How often the sweep looks whether a call that goes on still has its meeting and its members."""
MEETING_SETTLE_SECONDS: Final = 60
"""How long after it was announced a meeting may still appear: longer than any function runs, so that a meeting made
late for a call that is over is found. Until then the call stays on the sweep's list."""
MEETING_ANNOUNCED_SECONDS: Final = 10
"""How long an announcement of a meeting serves further acceptors, so that they need not repeat it."""

# Requests
BODY_BYTES: Final = 64 * 1024
"""Largest request body; a larger one is refused with 413 before it is parsed."""

# Delivery
RECORD_RECIPIENTS_MAX: Final = 5_000
"""Recipients of one stored event: their ids and the event fit one DynamoDB item (400 KB)."""
RECORDS_PER_CHANGE_MAX: Final = 10
"""Stored events of one change, so that they fit one transaction (4 MB); 50,000 recipients."""
PUBLISH_CONCURRENCY: Final = 25
"""Publishes one function has under way at once."""
SLICE_RECIPIENTS: Final = 25
"""Fewest recipients of one slice of an asynchronous delivery, where the event has more: one round of publishes."""
FAST_PATH_GRACE_SECONDS: Final = 5
"""How long a sender is left to deliver its own event before the relay offers it to the queue."""
SWEEP_AFTER_SECONDS: Final = 60
"""Age at which the sweep takes an undelivered event for forgotten."""
DELIVERY_ATTEMPTS_MAX: Final = 10
"""Sweeps after which an event is left to the dead-letter queue and its alarm."""
OUTBOX_RETENTION_DAYS: Final = 14
"""How long an event that could never be delivered is kept for an operator (the queue's own longest retention)."""
IDEMPOTENCY_RETENTION_HOURS: Final = 48
"""How long a repeated `tempId` answers with the first result."""

# AWS limits that shape the code
TRANSACTION_ITEMS_MAX: Final = 100
"""DynamoDB TransactWriteItems: actions in one transaction."""
BATCH_GET_KEYS_MAX: Final = 100
"""DynamoDB BatchGetItem: keys in one call."""
QUEUE_BATCH_MAX: Final = 10
"""SQS SendMessageBatch: messages in one call."""
EVENT_BYTES_MAX: Final = 240 * 1024
"""AppSync Events: size of one event after the handler (quota page)."""
HANDLER_CODE_CHARACTERS: Final = 32_768
"""AppSync Events: code of one namespace (quota page)."""
SEGMENT_CHARACTERS: Final = 50
"""AppSync Events: characters of one channel segment (quota page)."""


class RateLimit:
    """How often one user may do one thing: `count` times in every window of `seconds`.

    Args:
        action: name of the action, part of the counter's key.
        count: calls allowed in one window.
        seconds: length of a window, aligned to the epoch.
    """

    __slots__ = ("action", "count", "seconds")

    def __init__(self, action: str, count: int, seconds: int) -> None:
        self.action = action
        self.count = count
        self.seconds = seconds

    def window(self, epoch_seconds: float) -> int:
        """Return the start, in epoch seconds, of the window that holds the given time."""
        return int(epoch_seconds) // self.seconds * self.seconds

    def retry_after(self, epoch_seconds: float) -> int:
        """Return the whole seconds (at least 1) until the next window opens."""
        return max(1, self.window(epoch_seconds) + self.seconds - int(epoch_seconds))


SEND_RATE: Final = RateLimit("send", 50, 10)
TYPING_RATE: Final = RateLimit("typing", 20, 10)
SEARCH_RATE: Final = RateLimit("search", 20, 10)
CALL_RATE: Final = RateLimit("call", 10, 60)
