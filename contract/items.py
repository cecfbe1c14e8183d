"""The attributes of each table's items besides the keys: name, DynamoDB type, meaning.

Adapters write and the JS handlers read exactly these names. An attribute marked `?` may be absent; an absent attribute
stands for null, since DynamoDB refuses null in an index key. Dates are ISO strings in UTC with milliseconds and `Z`.
"""

from __future__ import annotations

from typing import Final

from contract import tables

ITEMS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    tables.USERS.entity: (
        ("email", "S", "lower case"),
        ("firstName, lastName, fullName", "S", "as entered by the user; fullName follows firstName and lastName"),
        ("emailVerified", "BOOL", ""),
        ("profilePicture?, major?, year?, bio?, portfolioUrl?", "S", ""),
        ("interests", "L of S", ""),
        ("createdAt, updatedAt", "S", ""),
        ("disabledAt?", "S", "the operator has disabled the account, or deleted it: no request of it is served"),
    ),
    tables.USER_SEARCH.entity: (
        ("userId, fullName", "S", "token is `word#userId`, prefix the word's first two letters; both are case-folded"),
        ("profilePicture?", "S", ""),
    ),
    tables.BLOCKS.entity: (
        ("createdAt?", "S", "of a block"),
        (
            "version?",
            "N",
            "of the item with the key (`#` and user id, `#`): increases with each block and unblock of this user",
        ),
    ),
    tables.CONVERSATIONS.entity: (
        ("type", "S", "DM or GROUP"),
        ("participants, admins", "L of S", "user ids; every participant may read and write"),
        ("createdBy, createdAt, updatedAt", "S", ""),
        ("name?, description?, avatar?", "S", "groups only"),
        ("version", "N", "increases with each change of name, members, roles or blocks"),
        (
            "latestSeq",
            "N",
            "DM: greatest sequence number that was reserved; 0 before the first. A group's is in ConversationCounters",
        ),
        ("lastTimestampMs?", "N", "DM: greatest timestamp that was reserved, in epoch milliseconds"),
        (
            "pendingSeq?",
            "M",
            "DM: by sender and tempId: its sequence number, until the message or placeholder is stored",
        ),
        ("pendingAt?", "M", "DM: by sender and tempId: the timestamp of its message, in epoch milliseconds"),
        (
            "latestChange",
            "N",
            "DM: greatest change number that was reserved; 0 before the first. A group's is in ConversationCounters",
        ),
        ("pendingChange?", "M", "DM: by reservation: its change number, until the change or its placeholder is stored"),
        ("lastMessageAt?", "S", "DM: timestamp of the newest message; strictly increasing"),
        ("lastMessage?", "M", "DM: messageId, senderId, type, timestamp, seq, preview?, deleted"),
        ("membersStored?", "BOOL", "of the old application: the bridge has stored a membership of every participant"),
        ("forwardedSeq?", "N", "DM: number up to which its messages were forwarded to the old Socket.IO server"),
        ("forwardedAt?", "S", "DM: timestamp of that message"),
        ("blockedBy?", "SS", "DM only: participants who blocked the other"),
        (
            "hiddenMembers?",
            "M",
            "groups only, by user id: participants who had blocked the user who added them. They are listed and are no "
            "members. Values are M of joinedAt, lastReadSeq, as other participants see them",
        ),
    ),
    tables.CONVERSATION_COUNTERS.entity: (
        ("version", "N", "the conversation's version, changed in the same transaction"),
        ("latestSeq", "N", "greatest sequence number that was reserved"),
        ("lastTimestampMs", "N", "greatest timestamp that was reserved, in epoch milliseconds"),
        ("lastMessageAt?", "S", "timestamp of the newest stored message; its key in the table Messages"),
        ("receiptsDueAt?", "N", "when the collected read marks are published next or last, in epoch milliseconds"),
        (
            "channelEpoch?",
            "S",
            "last segment of the group's channel: random, new whenever a member leaves or is removed",
        ),
        (
            "memberKeys?",
            "SS",
            "groups of at most 50 members: hashes of the members' user ids, who may reserve before the group is read",
        ),
        ("forwardedSeq?", "N", "number up to which its messages were forwarded to the old Socket.IO server"),
        ("forwardedAt?", "S", "timestamp of that message"),
        ("pendingSeq", "M", "by reservation: its sequence number, until the message or its placeholder is stored"),
        ("pendingAt", "M", "by reservation: the timestamp of its message, in epoch milliseconds"),
        ("latestChange?", "N", "greatest change number that was reserved; absent before the first change"),
        ("pendingChange?", "M", "by reservation: its change number, until the change or its placeholder is stored"),
    ),
    tables.CONVERSATION_MEMBERS.entity: (
        ("role", "S", "ADMIN or MEMBER"),
        ("type", "S", "DM or GROUP"),
        ("joinedAt", "S", ""),
        ("lastReadSeq", "N", "read mark: highest sequence number read; the user's own sends raise it"),
        ("readAt?", "N", "when a request last moved the read mark, in epoch milliseconds"),
        (
            "readFromSeq?",
            "N",
            "groups only: the read mark before the moves that are published in the next MESSAGE_READ",
        ),
        ("readCount?", "N", "moves of the read mark in the present window of the rate limit"),
        ("hidden?", "BOOL", "DM created by a user whom this user had blocked: not listed until that user is unblocked"),
        ("hasHidden?", "BOOL", "some messages of this DM are hidden from this user: unread messages must be counted"),
    ),
    tables.MESSAGES.entity: (
        ("messageId, senderId, type, createdAt", "S", ""),
        ("seq", "N", "sequence number, gap-free from 1; absent on messages of the old application"),
        ("content?, mediaUrl?, fileName?, replyTo?, tempId?, editedAt?", "S", ""),
        ("fileSize?, duration?", "N", "bytes, seconds"),
        ("readBy", "L of S", "always empty; the old clients expect the attribute"),
        ("reactions", "M", "always empty; the old clients expect the attribute"),
        ("deleted", "BOOL", ""),
        ("hiddenFrom?", "SS", "users who had blocked the sender when the message was sent"),
        (
            "voided?",
            "BOOL",
            "a placeholder, which no history shows: its sender reserved this sequence number and stored no message",
        ),
        ("bridged?", "BOOL", "stored by the old Socket.IO server, and numbered by the bridge"),
        ("latestChange?", "N", "change number of its newest edit or deletion: a later change has a greater one"),
        ("deletedChange?", "N", "change number of the deletion, so that a repeated request gets the same response"),
        ("expiresAt?", "N", "messages of the canary only: epoch seconds"),
    ),
    tables.MESSAGE_CHANGES.entity: (
        (
            "kind",
            "S",
            "EDIT, DELETE, or VOID: a placeholder, whose user reserved this change number and changed nothing",
        ),
        ("messageId?, timestamp?", "S", "the changed message; timestamp is its sort key"),
        ("changedBy?, changedAt?", "S", ""),
        ("hiddenFrom?", "SS", "copied from the message"),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.GROUPS.entity: (
        ("classCode?, semester?", "S", ""),
        ("isClassGroup", "BOOL", ""),
        ("tags", "L of S", ""),
        ("settings", "M", "isPublic, requireApproval, maxMembers (0: only the general limit applies)"),
        ("memberCount", "N", ""),
        ("createdAt, updatedAt", "S", ""),
    ),
    tables.CALLS.entity: (
        (
            "participants",
            "M",
            "map from user id; these users may subscribe to the call's channel. Values are M of place (N: order), "
            "status, name, rung (BOOL: INCOMING_CALL was published to the user), joinedAt?, leftAt?, deviceId?, "
            "attendeeId?",
        ),
        ("version", "N", "increases by one with each stored transition"),
        ("status", "S", "RINGING, ACTIVE, ENDED, MISSED, REJECTED or CANCELLED"),
        ("callType, mediaType", "S", "DIRECT or GROUP; AUDIO or VIDEO"),
        ("initiatedBy, ownerId", "S", "initiatedBy: the caller; ownerId: the user who may end a group call"),
        ("conversationId?", "S", "GROUP only"),
        ("hiddenFrom?", "SS", "users who have blocked the caller; no event about the call is published to them"),
        ("createdAt, ringsUntil", "S", ""),
        ("startedAt?, endedAt?, endedBy?, endReason?", "S", "first answer; time, user and reason of the end"),
        ("duration?", "N", "seconds from startedAt to endedAt"),
        ("meetingId?, meeting?", "S", "Chime's meeting id, its meeting object as JSON; never an attendee token"),
        ("meetingAskedAt?", "S", "when a request to Chime for a meeting was last recorded, before it is made"),
        ("shard?", "S", "`due#n` while the call is on the sweep's list; n is a hash of the key"),
        ("dueAt?", "S", "when the sweep checks the call: ringing is overdue, or a meeting must be checked or deleted"),
        ("expiresAt?", "N", "calls of the canary only: epoch seconds"),
    ),
    tables.USER_CALLS.entity: (
        ("sessionId", "S", ""),
        ("expiresAt?", "N", "calls of the canary only: epoch seconds"),
    ),
    tables.CALL_LOCKS.entity: (
        ("sessionId", "S", "the user's call; the next call replaces the lock of an ended call"),
    ),
    tables.IDEMPOTENCY.entity: (
        ("conversationId, timestamp", "S", "key of the stored message; id is `senderId#conversationId#tempId`"),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.OUTBOX.entity: (
        ("namespace", "S", "channel namespace; a recipient's channel is /{namespace}/{recipient}"),
        (
            "event",
            "S",
            "the event as JSON, without serverTimestamp; "
            "the record of the same event in a second namespace has the key `{eventId}#{namespace}`",
        ),
        ("recipients", "L of S", "user ids (in the namespace calls: the session id) not yet published to"),
        (
            "audience?",
            "S",
            "conversation whose participants at the time of delivery are the recipients; recipients is then empty",
        ),
        ("slices?", "N", "with audience: number of slices; a user's slice is a hash of the user id"),
        ("left?", "M", "by number of a slice that reached only some recipients: L of the user ids who are left"),
        ("validUntil?", "S", "expiry: from then on the event is dropped instead of published"),
        ("pendingSlices?", "NS", "asynchronous delivery only: numbers of the recipient slices not yet published"),
        ("createdAt, dueAt", "S", "dueAt: when the sweep queues the event again"),
        ("shard?", "S", "`due#n` while the record is on the sweep's list; n is a hash of the key"),
        ("attempts", "N", "number of times that the sweep has queued the event"),
        ("correlationId?", "S", "of the request that stored the event; every log line about it has the same id"),
        ("expiresAt", "N", "epoch seconds"),
        (
            "conversationId?, timestamp?",
            "S",
            "of a direct message: its key in the table Messages. The key of the record is "
            "`send#conversationId#senderId#tempId`; after the delivery it keeps only these attributes, "
            "correlationId and expiresAt",
        ),
        ("hiddenFrom?", "SS", "of a direct message: as in the table Messages"),
        (
            "voided?",
            "NS",
            "sequence numbers under which a direct message must not be stored, since they have placeholders",
        ),
    ),
    tables.RATE_LIMITS.entity: (
        ("count", "N", "uses in this window; id is `userId#action#window`"),
        (
            "on:{conversationId}?, off:{conversationId}?",
            "N",
            "action typing only: when the last event of this kind was published, in epoch milliseconds",
        ),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.ERASURES.entity: (
        ("requestedAt", "S", "subject is a SHA-256 hash of the user id, so that the list contains no user id"),
        ("completedAt?", "S", "when every step was last done"),
    ),
}
