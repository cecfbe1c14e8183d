import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../../web/src/client/state/actions";
import { gapOf, reduce } from "../../web/src/client/state/reducer";
import {
  entriesOf,
  orderedConversations,
  readersOf,
  titleOf,
  totalUnread,
  typingUsers,
} from "../../web/src/client/state/selectors";
import { type State, TYPING_EXPIRY_MS, initialState } from "../../web/src/client/state/state";
import type { ChannelEvent, Sent } from "../../web/src/contract";
import { ADA, DM, GRACE, event, message, page, view } from "./backend";

function after(state: State, ...actions: Action[]): State {
  return actions.reduce(reduce, state);
}

function arrived(...events: ChannelEvent[]): Action[] {
  return events.map((one) => ({ type: "event", event: one, at: 0 }));
}

function listed(...views: ReturnType<typeof view>[]): Action {
  return { type: "list", page: { conversations: views, nextCursor: null, success: true }, since: 0, complete: true };
}

/** Ada with the direct conversation open and its newest page loaded. */
function opened(count = 3): State {
  const messages = Array.from({ length: count }, (_, index) => message(index + 1));
  return after(
    initialState(ADA),
    listed(view({ latestSeq: count, lastReadSeq: count })),
    { type: "selected", conversationId: DM },
    { type: "history", kind: "newest", page: page([...messages].reverse(), { nextCursor: "older" }) }
  );
}

function shown(state: State): (number | string | null)[] {
  return entriesOf(state, DM).map((entry) =>
    entry.kind === "message" ? entry.message.seq : entry.kind === "gap" ? "gap" : entry.outgoing.tempId
  );
}

function sent(seq: number, fields: object = {}): ChannelEvent {
  return event("MESSAGE_SENT", { ...message(seq), tempId: null, ...fields });
}

const sending: Action = {
  type: "sending",
  conversationId: DM,
  tempId: "t1",
  content: "mine",
  replyTo: null,
  createdAt: "2026-06-01T00:00:00.000Z",
};

function answer(seq: number): Sent {
  const stored = message(seq, { senderId: ADA, content: "mine" });
  return {
    messageId: stored.messageId,
    tempId: "t1",
    message: stored,
    duplicate: false,
    delivery: { delivered: 2, pending: 0 },
    success: true,
  };
}

test("a message that arrives twice is shown once and counted once", () => {
  const once = sent(4);
  const again = { ...once, eventId: "another delivery" } as ChannelEvent;
  const state = after(opened(), ...arrived(once, once, again));
  assert.deepEqual(shown(state), [1, 2, 3, 4]);
  assert.equal(totalUnread(state), 1);
});

test("one send leaves one bubble, whether the response or the event comes first", () => {
  const stored = event("MESSAGE_SENT", { ...answer(4).message, tempId: "t1" });
  const answered: Action = { type: "sent", tempId: "t1", answer: answer(4) };
  assert.deepEqual(shown(after(opened(), sending)), [1, 2, 3, "t1"]);
  assert.deepEqual(shown(after(opened(), sending, answered, ...arrived(stored))), [1, 2, 3, 4]);
  assert.deepEqual(shown(after(opened(), sending, ...arrived(stored), answered)), [1, 2, 3, 4]);
});

test("the tempId of another user does not remove the user's own bubble", () => {
  const state = after(opened(), sending, ...arrived(sent(4, { tempId: "t1" })));
  assert.deepEqual(shown(state), [1, 2, 3, 4, "t1"]);
});

test("messages are ordered by sequence number in every order of arrival", () => {
  const state = after(opened(), ...arrived(sent(6), sent(4), sent(5)));
  assert.deepEqual(shown(state), [1, 2, 3, 4, 5, 6]);
  assert.equal(gapOf(state, DM), null);
});

test("a missing sequence number opens a gap that names what to read", () => {
  const state = after(opened(), ...arrived(sent(6)));
  assert.deepEqual(gapOf(state, DM), { conversationId: DM, afterSeq: 3, afterChange: 0 });
  assert.deepEqual(shown(state), [1, 2, 3, "gap", 6]);
});

test("the response to a gap closes it, although numbers hidden from the user stay missing", () => {
  const gap = after(opened(), ...arrived(sent(7)));
  const state = after(gap, { type: "history", kind: "gap", page: page([message(4), message(7)]) });
  assert.equal(gapOf(state, DM), null);
  assert.deepEqual(shown(state), [1, 2, 3, 4, 7]);
});

test("a list with a higher sequence number than the open conversation opens a gap", () => {
  const state = after(opened(), { ...listed(view({ latestSeq: 9 })), since: 99 } as Action);
  assert.deepEqual(gapOf(state, DM), { conversationId: DM, afterSeq: 3, afterChange: 0 });
});

test("a reload drops the loaded messages and keeps those that overtook the page", () => {
  const ahead = after(opened(), ...arrived(sent(502)));
  const newest = [message(500), message(499)];
  const state = after(ahead, { type: "history", kind: "newest", page: page(newest, { nextCursor: "c" }) });
  assert.deepEqual(shown(state), [499, 500, "gap", 502]);
  assert.deepEqual(gapOf(state, DM), { conversationId: DM, afterSeq: 500, afterChange: 0 });
});

test("an edit changes its message once, and a skipped change number opens a gap", () => {
  const edited = message(2, { content: "better", editedAt: "2026-06-01T00:00:00.000Z" });
  const data = { conversationId: DM, messageId: "m2", updatedBy: GRACE, message: edited };
  const state = after(opened(), ...arrived(event("MESSAGE_UPDATED", { ...data, change: 1 })));
  assert.equal(state.threads[DM]?.messages[1]?.content, "better");
  assert.equal(gapOf(state, DM), null);
  const skipped = after(opened(), ...arrived(event("MESSAGE_UPDATED", { ...data, change: 2 })));
  assert.deepEqual(gapOf(skipped, DM), { conversationId: DM, afterSeq: 3, afterChange: 0 });
});

test("an edit that is missing from an older page is read again", () => {
  const edit = {
    conversationId: DM,
    messageId: "m0",
    change: 1,
    updatedBy: GRACE,
    message: message(0, { content: "new" }),
  };
  const state = after(opened(), ...arrived(event("MESSAGE_UPDATED", edit)), {
    type: "history",
    kind: "older",
    page: page([message(0, { content: "old" })], { latestChange: 0 }),
  });
  assert.deepEqual(gapOf(state, DM), { conversationId: DM, afterSeq: 3, afterChange: 0 });
  const changed = [message(0, { content: "new", editedAt: "2026-06-01T00:00:00.000Z" })];
  const filled = after(state, {
    type: "history",
    kind: "gap",
    page: page([], { latestSeq: 3, latestChange: 1, changed }),
  });
  assert.equal(filled.threads[DM]?.messages[0]?.content, "new");
  assert.equal(gapOf(filled, DM), null);
});

test("a deletion is final and removes the text from the bubble and the list", () => {
  const gone = { conversationId: DM, messageId: "m4", seq: 4, change: 2, deletedBy: GRACE, deletedAt: "" };
  const late = {
    conversationId: DM,
    messageId: "m4",
    change: 1,
    updatedBy: GRACE,
    message: message(4, { content: "edited" }),
  };
  const state = after(opened(), ...arrived(sent(4), event("MESSAGE_DELETED", gone), event("MESSAGE_UPDATED", late)));
  const tombstone = state.threads[DM]?.messages[3];
  assert.equal(tombstone?.deleted, true);
  assert.equal(tombstone?.content, null);
  const deleted = after(opened(), ...arrived(sent(4), event("MESSAGE_DELETED", { ...gone, change: 1 })));
  assert.deepEqual(
    [deleted.rows[DM]?.view.lastMessage?.deleted, deleted.rows[DM]?.view.lastMessage?.preview],
    [true, null]
  );
});

test("a message moves a closed conversation to the top, with preview and unread count", () => {
  const other = view({ conversationId: "other", lastMessageAt: "2026-01-01T00:00:02.000Z" });
  const state = after(initialState(ADA), listed(view(), other), ...arrived(sent(1), sent(3)));
  assert.deepEqual(
    orderedConversations(state).map(({ conversationId, unreadCount }) => [conversationId, unreadCount]),
    [
      [DM, 3],
      ["other", 0],
    ]
  );
  assert.equal(state.rows[DM]?.view.lastMessage?.preview, "text 3");
});

test("a message of the user's other device counts as read", () => {
  const state = after(initialState(ADA), listed(view()), ...arrived(sent(1), sent(2, { senderId: ADA })));
  assert.equal(totalUnread(state), 0);
  assert.equal(state.rows[DM]?.view.lastReadSeq, 2);
});

test("a read mark only moves forward", () => {
  const read = (readSeq: number): ChannelEvent =>
    event("MESSAGE_READ", { conversationId: DM, readBy: ADA, readSeq, readAt: "", readers: [] });
  const state = after(initialState(ADA), listed(view()), ...arrived(sent(1), sent(2), sent(3), read(2), read(1)));
  assert.equal(state.rows[DM]?.view.lastReadSeq, 2);
  assert.equal(totalUnread(state), 1);
});

test("the read mark of another user is shown on every message before it", () => {
  const member = { userId: GRACE, role: "MEMBER" as const, joinedAt: "", lastReadSeq: 0 };
  const state = after(
    opened(),
    {
      type: "conversation",
      answer: { conversation: view({ latestSeq: 3 }), members: [member], success: true },
      since: 9,
    },
    ...arrived(event("MESSAGE_READ", { conversationId: DM, readBy: GRACE, readSeq: 2, readAt: "", readers: [] }))
  );
  const readers = state.threads[DM]?.messages.map((one) => readersOf(state, { ...one, senderId: ADA }));
  assert.deepEqual(readers, [[GRACE], [GRACE], []]);
});

test("the read marks of all readers of an event are shown", () => {
  const members = [GRACE, "user-eva"].map((userId) => ({
    userId,
    role: "MEMBER" as const,
    joinedAt: "",
    lastReadSeq: 0,
  }));
  const readers = [
    { userId: GRACE, readSeq: 2, readAt: "" },
    { userId: "user-eva", readSeq: 1, readAt: "" },
    { userId: ADA, readSeq: 3, readAt: "" },
  ];
  const state = after(
    opened(),
    { type: "conversation", answer: { conversation: view({ latestSeq: 3 }), members, success: true }, since: 0 },
    ...arrived(event("MESSAGE_READ", { conversationId: DM, readBy: GRACE, readSeq: 2, readAt: "", readers }))
  );
  const shown = state.threads[DM]?.messages.map((one) => readersOf(state, { ...one, senderId: ADA }));
  assert.deepEqual(shown, [[GRACE, "user-eva"], [GRACE], []]);
  assert.equal(state.rows[DM]?.view.lastReadSeq, 3);
});

test("a typing notice expires, ends with the message, and is not shown for the user", () => {
  const notice = (userId: string): ChannelEvent => event("USER_TYPING", { conversationId: DM, userId });
  const state = after(opened(), ...arrived(notice(GRACE), notice(ADA)));
  assert.deepEqual(typingUsers(state, DM, TYPING_EXPIRY_MS - 1), [GRACE]);
  assert.deepEqual(typingUsers(state, DM, TYPING_EXPIRY_MS), []);
  assert.deepEqual(reduce(state, { type: "tick", now: TYPING_EXPIRY_MS }).typing, {});
  assert.deepEqual(typingUsers(after(state, ...arrived(sent(4))), DM, 1), []);
  const stopped = event("USER_STOPPED_TYPING", { conversationId: DM, userId: GRACE });
  assert.deepEqual(typingUsers(after(state, ...arrived(stopped)), DM, 1), []);
});

test("a duplicate event changes nothing", () => {
  const notice = event("USER_TYPING", { conversationId: DM, userId: GRACE });
  const stopped = event("USER_STOPPED_TYPING", { conversationId: DM, userId: GRACE });
  const state = after(opened(), ...arrived(notice, stopped, notice));
  assert.deepEqual(typingUsers(state, DM, 1), []);
});

test("a left conversation is removed, and an earlier list does not bring it back", () => {
  const since = opened().clock;
  const removed = event("CONVERSATION_REMOVED", { conversationId: DM, userId: ADA, removedBy: GRACE });
  const state = after(opened(), ...arrived(removed));
  assert.deepEqual([state.rows, state.threads, state.selected], [{}, {}, null]);
  assert.deepEqual(after(state, { ...listed(view()), since } as Action).rows, {});
  assert.ok(after(state, { ...listed(view()), since: since + 1 } as Action).rows[DM]);
});

test("a list requested before an event does not undo the event", () => {
  const before = opened();
  const state = after(before, ...arrived(sent(4)), {
    ...listed(view({ latestSeq: 3, lastReadSeq: 3 })),
    since: before.clock,
  } as Action);
  assert.equal(state.rows[DM]?.view.latestSeq, 4);
  assert.equal(totalUnread(state), 1);
});

test("a complete list removes missing conversations, except those that changed meanwhile", () => {
  const state = after(initialState(ADA), listed(view(), view({ conversationId: "other" })));
  const since = state.clock;
  const touched = after(state, ...arrived(sent(1)));
  const next = reduce(touched, { ...listed(), since } as Action);
  assert.deepEqual(Object.keys(next.rows), [DM]);
});

test("an older version of a group does not overwrite a newer one", () => {
  const group = view({ type: "GROUP", version: 5, name: "New name" });
  const changed = (version: number, name: string): ChannelEvent =>
    event("CONVERSATION_UPDATED", { conversation: { ...group, version, name }, changedBy: GRACE });
  const state = after(initialState(ADA), listed(group), ...arrived(changed(4, "Old name")));
  assert.equal(state.rows[DM]?.view.name, "New name");
  assert.equal(after(state, ...arrived(changed(6, "Newest"))).rows[DM]?.view.name, "Newest");
});

test("a created conversation is marked to be read, since the event has no names", () => {
  const created = event("CONVERSATION_CREATED", { conversation: view({ type: "GROUP", version: 1 }), changedBy: GRACE });
  assert.deepEqual(after(initialState(ADA), ...arrived(created)).unknown, [DM]);
});

test("a direct conversation keeps the other user's name when an event without names changes it", () => {
  const changed = event("CONVERSATION_UPDATED", {
    conversation: { ...view({ version: 2 }), name: null },
    changedBy: ADA,
  });
  const state = after(initialState(ADA), listed(view()), ...arrived(changed));
  assert.equal(titleOf(state, state.rows[DM]?.view ?? view()), "Grace Hopper");
});

test("a changed user name is shown in the list at once", () => {
  const renamed = event("USER_UPDATED", { user: { userId: GRACE, fullName: "Rear Admiral Hopper" } });
  const state = after(initialState(ADA), listed(view()), ...arrived(renamed));
  assert.equal(titleOf(state, state.rows[DM]?.view ?? view()), "Rear Admiral Hopper");
});

test("a message of an unlisted conversation marks it to be read until it was read", () => {
  const state = after(initialState(ADA), ...arrived(sent(1)));
  assert.deepEqual(state.unknown, [DM]);
  assert.deepEqual(after(state, listed(view({ latestSeq: 1 }))).unknown, []);
});

test("a failed message keeps its tempId when it is sent again", () => {
  const failed = after(opened(), sending, { type: "sendFailed", tempId: "t1", error: "no network", unanswered: true });
  assert.deepEqual([failed.outgoing[0]?.status, failed.outgoing[0]?.error], ["failed", "no network"]);
  const again = after(failed, { type: "resending", tempId: "t1" });
  assert.deepEqual([again.outgoing[0]?.status, again.outgoing[0]?.tempId], ["sending", "t1"]);
  assert.deepEqual(after(again, { type: "sent", tempId: "t1", answer: answer(4) }).outgoing, []);
});

test("blocking and unblocking on another device is shown", () => {
  const blocked = after(opened(), ...arrived(event("USER_BLOCKED", { userId: GRACE })));
  assert.deepEqual(blocked.blocked, [GRACE]);
  assert.deepEqual(after(blocked, ...arrived(event("USER_UNBLOCKED", { userId: GRACE }))).blocked, []);
});

test("an event of an unknown type changes nothing visible", () => {
  const before = opened();
  const state = after(before, ...arrived(event("CALL_OF_THE_FUTURE", { sessionId: "s" })));
  assert.deepEqual({ ...state, clock: 0, seen: [] }, { ...before, clock: 0, seen: [] });
});

test("messages of the old application have no sequence number, come first and open no gap", () => {
  const old = message(0, { messageId: "old", seq: null, timestamp: "2025-01-01T00:00:00.000Z" });
  const state = after(opened(), { type: "history", kind: "older", page: page([old]) });
  assert.deepEqual(shown(state), [null, 1, 2, 3]);
  assert.equal(gapOf(state, DM), null);
});
