"""What the items of each table hold besides their keys: attribute, DynamoDB type, meaning.

Adapters write and the JS handlers read exactly these names. Attributes marked `?` may be absent; absent stands for
null everywhere, since DynamoDB refuses a null in an index key. Dates are ISO strings in UTC with milliseconds and `Z`.
"""

from __future__ import annotations

from typing import Final

from contract import tables

ITEMS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    tables.USERS.entity: (
        ("email", "S", "lower case"),
        ("firstName, lastName, fullName", "S", "as the user writes them; fullName is kept in step"),
        ("emailVerified", "BOOL", ""),
        ("profilePicture?, major?, year?, bio?, portfolioUrl?", "S", ""),
        ("interests", "L of S", ""),
        ("createdAt, updatedAt", "S", ""),
    ),
    tables.USER_SEARCH.entity: (
        ("userId, fullName", "S", "token is `word#userId`, prefix its first two letters, all case-folded"),
        ("profilePicture?", "S", ""),
    ),
    tables.BLOCKS.entity: (("createdAt", "S", ""),),
    tables.CONVERSATIONS.entity: (
        ("type", "S", "DM or GROUP"),
        ("participants, admins", "L of S", "user ids; participants decide who may read and write"),
        ("createdBy, createdAt, updatedAt", "S", ""),
        ("name?, description?, avatar?", "S", "groups only"),
        ("version", "N", "grows with each change of name, members, roles or blocks"),
        ("latestSeq", "N", "number of the newest message; 0 before the first"),
        ("latestChange", "N", "number of the newest edit or deletion; 0 before the first"),
        ("lastMessageAt?", "S", "timestamp of the newest message; grows strictly"),
        ("lastMessage?", "M", "messageId, senderId, type, timestamp, seq, preview?, deleted"),
        ("blockedBy?", "SS", "DM only: participants who blocked the other"),
    ),
    tables.CONVERSATION_MEMBERS.entity: (
        ("role", "S", "ADMIN or MEMBER"),
        ("type", "S", "DM or GROUP"),
        ("joinedAt", "S", ""),
        ("lastReadSeq", "N", "everything up to this number is read; own sends move it"),
        ("hidden?", "BOOL", "DM opened by somebody this user had blocked: not in the list until unblocked"),
        ("hasHidden?", "BOOL", "some messages of this DM are hidden from this user: count them exactly"),
    ),
    tables.MESSAGES.entity: (
        ("messageId, senderId, type, createdAt", "S", ""),
        ("seq", "N", "1, 2, 3 … without a hole within the conversation; absent on old messages"),
        ("content?, mediaUrl?, fileName?, replyTo?, tempId?, editedAt?", "S", ""),
        ("fileSize?, duration?", "N", "bytes, seconds"),
        ("readBy", "L of S", "stays empty; kept for the old clients, which expect it"),
        ("reactions", "M", "stays empty; kept for the old clients"),
        ("deleted", "BOOL", ""),
        ("hiddenFrom?", "SS", "users who had blocked the sender"),
        ("deletedChange?", "N", "number of the deletion, so that repeating it answers the same"),
    ),
    tables.MESSAGE_CHANGES.entity: (
        ("kind", "S", "EDIT or DELETE"),
        ("messageId, timestamp", "S", "which message; timestamp is its sort key"),
        ("changedBy, changedAt", "S", ""),
        ("hiddenFrom?", "SS", "as on the message"),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.GROUPS.entity: (
        ("classCode?, semester?", "S", ""),
        ("isClassGroup", "BOOL", ""),
        ("tags", "L of S", ""),
        ("settings", "M", "isPublic, requireApproval, maxMembers (0: no limit of its own)"),
        ("memberCount", "N", ""),
        ("createdAt, updatedAt", "S", ""),
    ),
    tables.CALLS.entity: (
        (
            "participants",
            "M",
            "by user id, who may subscribe to the call's channel: M of place (N: order), status, name, rung (BOOL: was "
            "told of the call), joinedAt?, leftAt?, deviceId?, attendeeId?",
        ),
        ("version", "N", "grows by one with each write of a transition"),
        ("status", "S", "RINGING, ACTIVE, ENDED, MISSED, REJECTED or CANCELLED"),
        ("callType, mediaType", "S", "DIRECT or GROUP; AUDIO or VIDEO"),
        ("initiatedBy, ownerId", "S", "who called; who may end a group call"),
        ("conversationId?", "S", "GROUP only"),
        ("hiddenFrom?", "SS", "who has blocked the caller: they must not learn of the call"),
        ("createdAt, ringsUntil", "S", ""),
        ("startedAt?, endedAt?, endedBy?, endReason?", "S", "first answer; end, by whom and why"),
        ("duration?", "N", "seconds from startedAt to endedAt"),
        ("meetingId?, meeting?", "S", "Chime's id and its meeting object as JSON; never a token"),
        ("meetingAskedAt?", "S", "when a meeting was last announced, before Chime was asked for it"),
        ("shard?", "S", "`due` while the sweep should look at it"),
        ("dueAt?", "S", "when the sweep should look: ringing is overdue, a meeting to check or to delete"),
    ),
    tables.USER_CALLS.entity: (("sessionId", "S", ""),),
    tables.CALL_LOCKS.entity: (("sessionId", "S", "a lock whose call is over is taken over by the next"),),
    tables.IDEMPOTENCY.entity: (
        ("conversationId, timestamp", "S", "key of the message; id is `senderId#conversationId#tempId`"),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.OUTBOX.entity: (
        ("namespace", "S", "channel namespace: every recipient's channel is /{namespace}/{recipient}"),
        (
            "event",
            "S",
            "the event as JSON, without serverTimestamp; "
            "the key of a copy in a further namespace is `{eventId}#{namespace}`",
        ),
        ("recipients", "L of S", "user ids (in namespace calls: the session id) still to be published to"),
        ("validUntil?", "S", "after this the event is dropped: nobody may be told any more"),
        ("pendingSlices?", "NS", "asynchronous delivery: slices of recipients not yet published"),
        ("createdAt, dueAt", "S", "dueAt: when the sweep takes it for forgotten"),
        ("shard?", "S", "`due` while the sweep should look at it"),
        ("attempts", "N", "sweeps so far"),
        ("expiresAt", "N", "epoch seconds"),
    ),
    tables.RATE_LIMITS.entity: (
        ("count", "N", "id is `userId#action#window`"),
        ("expiresAt", "N", "epoch seconds"),
    ),
}
