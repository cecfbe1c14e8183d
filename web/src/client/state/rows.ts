/** Pure rules of the conversation list: how a message, a read mark or a change alters a row. */

import type { Conversation, ConversationView, LastMessage, Message } from "../../contract";
import type { Row } from "./state";
import { previewOf } from "./text";

/** Return the preview of a message for the list. */
export function lastMessageOf(message: Message): LastMessage {
  return {
    messageId: message.messageId,
    senderId: message.senderId,
    type: message.type,
    timestamp: message.timestamp,
    seq: message.seq ?? 0,
    preview: message.deleted ? null : previewOf(message.content),
    deleted: message.deleted,
  };
}

function newer(held: LastMessage | null, incoming: LastMessage | null): LastMessage | null {
  if (held === null || incoming === null) {
    return incoming ?? held;
  }
  return incoming.seq >= held.seq ? incoming : held;
}

function latest(a: string | null, b: string | null): string | null {
  return (a ?? "") > (b ?? "") ? a : b;
}

/** Apply a new message: preview, order and unread count. A repetition changes nothing. */
export function withMessage(view: ConversationView, message: Message, me: string): ConversationView {
  const seq = message.seq ?? 0;
  if (seq <= view.latestSeq) {
    return view;
  }
  const mine = message.senderId === me;
  return {
    ...view,
    latestSeq: seq,
    lastMessage: lastMessageOf(message),
    lastMessageAt: latest(view.lastMessageAt, message.timestamp),
    lastReadSeq: mine ? seq : view.lastReadSeq,
    unreadCount: mine ? 0 : view.unreadCount + (seq - view.latestSeq),
  };
}

/** Apply the edit or deletion with number `change`; update the preview if it concerns the newest message. */
export function withChange(
  view: ConversationView,
  change: number,
  messageId: string,
  amend: (last: LastMessage) => LastMessage
): ConversationView {
  return {
    ...view,
    latestChange: Math.max(view.latestChange, change),
    lastMessage: view.lastMessage?.messageId === messageId ? amend(view.lastMessage) : view.lastMessage,
  };
}

/** Apply a read mark of the user, of this or another device; it only moves forward. */
export function withReadMark(view: ConversationView, seq: number): ConversationView {
  if (seq <= view.lastReadSeq) {
    return view;
  }
  const unread = seq >= view.latestSeq ? 0 : Math.min(view.unreadCount, view.latestSeq - seq);
  return { ...view, lastReadSeq: seq, unreadCount: unread };
}

/** Apply a conversation from an event or a response; it has neither names nor an unread count. */
export function withConversation(view: ConversationView, conversation: Conversation): ConversationView {
  const known = conversation.version < view.version;
  const description = known
    ? {}
    : {
        name: view.type === "DM" ? view.name : conversation.name,
        description: conversation.description,
        avatar: conversation.avatar,
        participants: conversation.participants,
        admins: conversation.admins,
        updatedAt: conversation.updatedAt,
        version: conversation.version,
      };
  return {
    ...view,
    ...description,
    latestSeq: Math.max(view.latestSeq, conversation.latestSeq),
    latestChange: Math.max(view.latestChange, conversation.latestChange),
    lastMessage: newer(view.lastMessage, conversation.lastMessage),
    lastMessageAt: latest(view.lastMessageAt, conversation.lastMessageAt),
  };
}

/**
 * Apply a view that was requested at the clock value `since`.
 *
 * If events have changed the row meanwhile, the view is outdated in the values that events change.
 */
export function withView(row: Row | undefined, view: ConversationView, since: number, clock: number): Row {
  if (row === undefined || row.touched <= since) {
    return { view, touched: clock };
  }
  const held = row.view;
  const merged = withConversation({ ...held, participantNames: view.participantNames }, view);
  const ahead = held.latestSeq > view.latestSeq;
  return {
    view: {
      ...merged,
      name: view.type === "DM" ? view.name : merged.name,
      lastReadSeq: Math.max(held.lastReadSeq, view.lastReadSeq),
      unreadCount: ahead || held.lastReadSeq > view.lastReadSeq ? held.unreadCount : view.unreadCount,
    },
    touched: clock,
  };
}
