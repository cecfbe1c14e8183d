"""Limits that are equal in every environment, each with its meaning and, where there is one, its reason.

Settings of one environment stand in `environments/{name}.toml`. A limit that AWS sets names its source.
"""

from __future__ import annotations

from typing import Final

# Messages
CONTENT_CHARACTERS: Final = 8_000
"""Longest `content`. At four bytes per character the event stays far below AppSync's limit of 240 KB."""
PREVIEW_CHARACTERS: Final = 120
"""Longest `preview`, the part of the newest message that the conversation list shows."""
MEDIA_URL_CHARACTERS: Final = 2_048
"""Longest URL in a request."""
FILE_NAME_CHARACTERS: Final = 255
"""Longest `fileName`."""
FILE_SIZE_BYTES: Final = 5 * 1024**3
"""Largest `fileSize`: the largest object of one S3 PUT (5 GB)."""
DURATION_SECONDS: Final = 4 * 60 * 60
"""Longest `duration` of an AUDIO or VIDEO message (4 hours)."""
DURATION_SECONDS_MIN: Final = 0.001
"""Shortest `duration` (a millisecond). DynamoDB stores no number between 0 and 1E-130."""
SEQUENCE_NUMBER_MAX: Final = 2**53 - 1
"""Greatest sequence number or change number in a request: the greatest whole number that JavaScript represents exactly.
DynamoDB refuses numbers above 9.99E+125."""
TEMP_ID_CHARACTERS: Final = 64
"""Longest `tempId`."""
ID_CHARACTERS: Final = 64
"""Longest id in a request, other than that of a conversation."""
CONVERSATION_ID_CHARACTERS: Final = 80
"""Longest `conversationId`. Direct conversations of the old application have 76 characters: `dm_` and two user ids."""

# History
HISTORY_PAGE: Final = 50
"""Messages of one history page without `limit`."""
HISTORY_PAGE_MAX: Final = 100
"""Largest `limit` of a history page."""
GAP_MESSAGES_MAX: Final = 200
"""Most messages in a gap response. A client that misses more gets `reload: true`."""
GAP_CHANGES_MAX: Final = 200
"""Most edits and deletions in a gap response. A client that misses more gets `reload: true`."""
CHANGE_RETENTION_DAYS: Final = 30
"""Days for which an edit or deletion can be requested by its change number. After that, clients get `reload: true`."""
GAP_SETTLE_MS: Final = 150
"""Milliseconds that a client waits before it reads a gap: events of concurrent senders overtake each other by
milliseconds, and those gaps close without a request."""
CHECK_FIRST_MS: Final = 3_000
CHECK_INTERVAL_MS: Final = 60_000
"""Milliseconds after which a connected client reads its list again, first once and then in this interval. AppSync
documents no guarantee for events that are published around the acknowledgement of a subscription."""

# Conversations
CONVERSATIONS_PAGE: Final = 30
"""Conversations of one list page without `limit`."""
CONVERSATIONS_PAGE_MAX: Final = 100
"""Largest `limit` of a list page."""
CONVERSATIONS_PER_USER: Final = 1_000
"""Most conversations of one user. The list reads all of them to sort them exactly."""
GROUP_MEMBERS_MAX: Final = 1_000
"""Most members of a group."""
MEMBERS_PER_REQUEST: Final = 90
"""Most user ids in one request. Their rows, the group and its events fit one transaction of 100 actions."""
HIDDEN_MESSAGES_EXAMINED: Final = 1_000
"""Messages that one request examines in a direct conversation with messages hidden from the reader: a blocked user may
have sent any number of them. A history page may then hold fewer messages than `limit`; its cursor continues. Unread
counts include only the newest this many messages."""
GROUP_NAME_CHARACTERS: Final = 100
"""Longest `name` of a group."""
DESCRIPTION_CHARACTERS: Final = 500
"""Longest `description` of a group."""
TAGS_MAX: Final = 10
"""Most `tags` of a group."""
TAG_CHARACTERS: Final = 40
"""Longest tag."""
CLASS_CODE_CHARACTERS: Final = 20
"""Longest `classCode`."""
SEMESTER_CHARACTERS: Final = 20
"""Longest `semester`."""

# Read marks and typing
RECEIPT_WINDOW_SECONDS: Final = 5
"""Seconds for which the read marks of a group are collected before they are published in one event. Without that,
every member of a group publishes to every other one for every message."""
RECEIPT_MARGIN_SECONDS: Final = 1
"""The read marks of the last second before the event belong to the next one: they may be written later than it."""
RECEIPT_MESSAGES_MAX: Final = 25
"""Newest messages of a group whose senders get the read marks of other members."""
TYPING_PARTICIPANTS_MAX: Final = 20
"""Most participants of a conversation in which typing is published; in a larger one it costs more than it is worth."""
TYPING_INTERVAL_MILLISECONDS: Final = 1_500
"""Shortest time in milliseconds between two published typing events of one kind by one user in one conversation.
Clients announce typing every two seconds; what comes more often is accepted and not published."""

# Users
NAME_CHARACTERS: Final = 80
"""Longest `firstName` or `lastName`."""
BIO_CHARACTERS: Final = 500
"""Longest `bio`."""
MAJOR_CHARACTERS: Final = 80
"""Longest `major`."""
INTERESTS_MAX: Final = 20
"""Most `interests`."""
INTEREST_CHARACTERS: Final = 40
"""Longest interest."""
SEARCH_WORDS_MAX: Final = 20
"""Words of a name that search finds. Each is one item, written in the transaction of the profile."""
SEARCH_QUERY_CHARACTERS: Final = 80
"""Longest search query."""
SEARCH_RESULTS: Final = 10
"""Users in a search response without `limit`."""
SEARCH_RESULTS_MAX: Final = 20
"""Largest `limit` of a search."""
SEARCH_PREFIX_CHARACTERS: Final = 2
"""Fewest letters of the longest word of a search query: they are the partition key of the table UserSearch."""
PROFILE_RECIPIENTS_MAX: Final = 200
"""Most other users to whom a change of a profile is published: those of direct conversations first, then those of the
smallest groups. The others see it when they next read a list, a conversation or the profile."""
BLOCKS_PER_USER: Final = 1_000
"""Most users whom one user can block."""
ACCOUNT_CHECK_SECONDS: Final = 60
"""Seconds for which a function relies on its last check that an account is not disabled: after that time it serves no
request of a disabled account. A shorter time costs more reads: one for each user, function and interval."""

# Calls
CALL_PARTICIPANTS_MAX: Final = 40
"""Most participants of one call, including the caller. Each has a lock and a row in one transaction of 100 actions."""
CALLS_PAGE: Final = 20
"""Calls of one list page without `limit`."""
CALLS_PAGE_MAX: Final = 50
"""Largest `limit` of a list page of calls."""
CALLS_EXAMINED: Final = 1_000
"""Calls that one list page with `state` examines. The page may hold fewer than `limit`; its cursor continues."""
DEVICE_ID_CHARACTERS: Final = 64
"""Longest `deviceId`."""
GIVEN_NAME_CHARACTERS: Final = 256
"""Longest user name in a request about a call; the backend ignores the value."""
CALL_HOURS_MAX: Final = 24
"""Longest call. Chime ends every meeting after this time (Amazon Chime SDK: service quotas)."""
RING_GRACE_SECONDS: Final = 10
"""Seconds after the end of the ringing time for which only the ring timer may end a call; then the sweep does."""
CALL_CHECK_SECONDS: Final = 120
"""Seconds between two checks of an active call by the sweep: does it still have its meeting and its members?"""
MEETING_SETTLE_SECONDS: Final = 60
"""Seconds after the request for a meeting in which the meeting may still be created: longer than any function runs.
An ended call stays on the sweep's list for this time, so that a late meeting is found and deleted."""
MEETING_ANNOUNCED_SECONDS: Final = 10
"""Seconds for which a recorded request for a meeting is valid for other participants, who need not record another."""

# Requests
BODY_BYTES: Final = 128 * 1024
"""Largest request body. A larger one is refused with 413 before it is parsed. The longest `content`, written in JSON
with an escaped pair of surrogates for each character, takes 96,000 bytes."""

# Responses
RESPONSE_BYTES: Final = 5 * 1024 * 1024
"""Most bytes of the messages or conversations in one response. A page that would be larger ends earlier, and a gap
response has `reload: true`. Lambda refuses a response above 6 MB (Lambda quotas: synchronous invocation payload)."""

# Delivery
PUBLISH_CONCURRENCY: Final = 25
"""Concurrent publishes of one invocation."""
DELIVERY_INVOCATIONS_MAX: Final = 8
"""Concurrent invocations of the deliver function. At about 20 ms a publish, all of them together stay within the Event
API's quota of inbound events (AppSync Events: 10,000 a second), however many large groups get messages at once."""
PUBLISH_PATIENCE_SECONDS: Final = 2
"""Seconds for which a request publishes one event again while AppSync throttles (429); then the queue delivers it."""
DELIVERY_PATIENCE_SECONDS: Final = 8
"""The same for the deliver function, whose event goes back to the queue after that."""
SLICE_RECIPIENTS: Final = 25
"""Fewest recipients in one slice of an asynchronous delivery, where the event has more: one round of publishes."""
REDELIVERY_SECONDS_MAX: Final = 60
"""Longest pause in seconds before a failed queue message is delivered again."""
DELIVERY_PAUSE_SECONDS: Final = 5
"""Longest pause in seconds after the first failed delivery of a queue message; each further failure doubles it."""
DELIVERY_RECEIVES_MAX: Final = 10
"""Deliveries of a message of the delivery queue, within about six minutes; then it is a dead letter."""
RING_TIMER_PAUSE_SECONDS: Final = 2
"""Longest pause in seconds after the first failed attempt of a ring timer; each further failure doubles it."""
RING_TIMER_RECEIVES_MAX: Final = 5
"""Attempts of a ring timer, within about half a minute; then the sweep ends the ringing."""
FAST_PATH_GRACE_SECONDS: Final = 5
"""Seconds in which the request that stored an event delivers it; then the relay queues the event."""
DUE_SHARDS: Final = 8
"""Partition keys over which an index ByDue is spread: each takes 1,000 write units a second."""
SWEEP_AFTER_SECONDS: Final = 60
"""Age in seconds from which the sweep queues an undelivered event again."""
DELIVERY_ATTEMPTS_MAX: Final = 10
"""Sweeps that queue an event. After that it is left to the dead-letter queue and its alarm."""
OUTBOX_RETENTION_DAYS: Final = 14
"""Days for which an undeliverable event is kept for operators: the longest retention of an SQS queue."""
IDEMPOTENCY_RETENTION_HOURS: Final = 48
"""Hours for which a repeated `tempId` gets the first result."""

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
    """A rate limit for one user: at most `count` uses of an action in each window of `seconds`.

    Args:
        action: name of the action, part of the counter's key.
        count: uses allowed in one window.
        seconds: length of a window, aligned to the epoch.
    """

    __slots__ = ("action", "count", "seconds")

    def __init__(self, action: str, count: int, seconds: int) -> None:
        self.action = action
        self.count = count
        self.seconds = seconds

    def window(self, epoch_seconds: float) -> int:
        """Return the start, in epoch seconds, of the window that contains a time."""
        return int(epoch_seconds) // self.seconds * self.seconds

    def retry_after(self, epoch_seconds: float) -> int:
        """Return the whole seconds (at least 1) until the next window starts."""
        return max(1, self.window(epoch_seconds) + self.seconds - int(epoch_seconds))


RECIPIENTS_PER_USE: Final = 300
"""A request whose event has more recipients counts once more for every so many: in a group of 1,000, four times. Fifty
members who each write once a second in such a group stay within their limit of messages."""
SEND_RATE: Final = RateLimit("send", 50, 10)
TYPING_RATE: Final = RateLimit("typing", 20, 10)
READ_RATE: Final = RateLimit("read", 30, 10)
"""Moves of one user's read mark in one conversation. It is counted in the membership that the move writes anyway."""
SEARCH_RATE: Final = RateLimit("search", 20, 10)
CALL_RATE: Final = RateLimit("call", 10, 60)
CALL_ATTEMPT_RATE: Final = RateLimit("attempt", 20, 60)
"""Requests for a call, also those refused because the called user is in another call: they would show when that is."""
CALL_TARGET_RATE: Final = RateLimit("target", 10, 60)
"""Requests of one user for a call of the same user or group."""
CHANGE_RATE: Final = RateLimit("change", 30, 10)
"""Edits and deletions: each is published to every participant, like a message."""
GROUP_RATE: Final = RateLimit("group", 60, 60)
"""New groups and changes of groups: each is published to every member, with the list of all members."""
OPEN_RATE: Final = RateLimit("open", 60, 60)
"""Direct conversations opened: each new one appears in another user's list."""
INVITATION_RATE: Final = RateLimit("invitation", 20, 86_400)
"""Groups to which one user adds the same other user, so that one user cannot fill another user's list."""
PROFILE_RATE: Final = RateLimit("profile", 10, 60)
"""Changes of a profile: each is published to at most `PROFILE_RECIPIENTS_MAX` users who share a conversation."""
BLOCK_RATE: Final = RateLimit("block", 30, 60)
"""Blocks and their removals."""
