/** Pure rules of the conversation list: what a message, a read position or a change does to a row. */

import { type Conversation, type ConversationView, type LastMessage, type Message, limits } from "../contract";
import type { Row } from "./state";

/** Return how the list shows a message. */
export function lastMessageOf(message: Message): LastMessage {
  return {
    messageId: message.messageId,
    senderId: message.senderId,
    type: message.type,
    timestamp: message.timestamp,
    seq: message.seq ?? 0,
    preview: message.deleted ? null : message.content?.slice(0, limits.PREVIEW_CHARACTERS) ?? null,
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

/** Count a message that was sent: newest message, order, and what is unread. Repeating it changes nothing. */
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

/** Note edit or deletion number `change`, and renew the preview where it concerns the newest message. */
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

/** Note how far the user has read, here or on another device; it never goes back. */
export function withReadPosition(view: ConversationView, seq: number): ConversationView {
  if (seq <= view.lastReadSeq) {
    return view;
  }
  const unread = seq >= view.latestSeq ? 0 : Math.min(view.unreadCount, view.latestSeq - seq);
  return { ...view, lastReadSeq: seq, unreadCount: unread };
}

/** Apply the conversation that an event or an answer carries: it has no names and nothing about what is unread. */
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
 * Apply a view that was asked for when the clock stood at `since`.
 *
 * Where events have changed the row meanwhile, the view is older than the row in what events count.
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
