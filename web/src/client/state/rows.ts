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

function latest(a: string | null, b: string | null): string | null {
  return (a ?? "") > (b ?? "") ? a : b;
}

/** Apply the next message: preview, order and unread count. The caller has applied every message before it. */
export function withMessage(view: ConversationView, message: Message, me: string): ConversationView {
  const seq = message.seq ?? 0;
  const mine = message.senderId === me;
  return {
    ...view,
    latestSeq: seq,
    lastMessage: lastMessageOf(message),
    lastMessageAt: latest(view.lastMessageAt, message.timestamp),
    lastReadSeq: mine ? Math.max(seq, view.lastReadSeq) : view.lastReadSeq,
    unreadCount: mine ? 0 : view.unreadCount + (seq > view.lastReadSeq ? 1 : 0),
  };
}

/** Apply the present state of a message that the preview may show. */
export function withAmended(view: ConversationView, messageId: string, message: Message | null): ConversationView {
  const last = view.lastMessage;
  if (last?.messageId !== messageId) {
    return view;
  }
  return { ...view, lastMessage: message ? lastMessageOf(message) : { ...last, preview: null, deleted: true } };
}

/** Apply a read mark of the user, of this or another device; it only moves forward. */
export function withReadMark(view: ConversationView, seq: number): ConversationView {
  if (seq <= view.lastReadSeq) {
    return view;
  }
  const unread = seq >= view.latestSeq ? 0 : Math.min(view.unreadCount, view.latestSeq - seq);
  return { ...view, lastReadSeq: seq, unreadCount: unread };
}

/**
 * Apply the name, members and roles of a conversation from an event or a response; an older version changes nothing.
 *
 * Its newest message is not applied: which messages are unread follows from the messages themselves.
 */
export function withConversation(view: ConversationView, conversation: Conversation): ConversationView {
  if (conversation.version < view.version) {
    return view;
  }
  return {
    ...view,
    name: view.type === "DM" ? view.name : conversation.name,
    description: conversation.description,
    avatar: conversation.avatar,
    participants: conversation.participants,
    admins: conversation.admins,
    updatedAt: conversation.updatedAt,
    version: conversation.version,
  };
}

/**
 * Apply a conversation that was requested at the clock value `since`; values older than the held ones change nothing.
 *
 * If the row has not changed since, the server also decides what is read: marking messages as read may have failed.
 */
export function withView(row: Row | undefined, view: ConversationView, since: number, clock: number): Row {
  if (row === undefined) {
    return { view, touched: clock };
  }
  const held = row.view;
  const described = withConversation(held, view);
  const named = view.version < held.version ? {} : { name: view.name, participantNames: view.participantNames };
  const isNewest = view.latestSeq >= held.latestSeq;
  const lastReadSeq = row.touched <= since ? view.lastReadSeq : Math.max(held.lastReadSeq, view.lastReadSeq);
  const isAmended = view.latestSeq === held.latestSeq && view.latestChange < held.latestChange;
  return {
    view: {
      ...described,
      ...named,
      latestSeq: Math.max(held.latestSeq, view.latestSeq),
      latestChange: Math.max(held.latestChange, view.latestChange),
      lastMessage: isNewest && !isAmended ? view.lastMessage : held.lastMessage,
      lastMessageAt: isNewest ? view.lastMessageAt : held.lastMessageAt,
      lastReadSeq,
      unreadCount: isNewest
        ? Math.min(view.unreadCount, Math.max(0, view.latestSeq - lastReadSeq))
        : held.unreadCount,
    },
    touched: clock,
  };
}
