/** Pure rules of one conversation's history: order, merging, pages and gaps. */

import type { HistoryPage, Message } from "../contract";
import type { Thread } from "./state";

/** Compare two messages by place: without a number (old application) first, by time; then by number. */
export function comparePlace(a: Message, b: Message): number {
  if (a.seq !== null && b.seq !== null) {
    return a.seq - b.seq;
  }
  if (a.seq === null && b.seq === null) {
    return a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0;
  }
  return a.seq === null ? -1 : 1;
}

/** Of two copies of a message return the later state: a deletion is final, then the later edit wins. */
export function later(held: Message, incoming: Message): Message {
  const readBy = [...new Set([...held.readBy, ...incoming.readBy])];
  const heldIsLater = held.deleted
    ? !incoming.deleted
    : !incoming.deleted && (held.editedAt ?? "") > (incoming.editedAt ?? "");
  return { ...(heldIsLater ? held : incoming), readBy };
}

/** Add messages to a list, once each, in order. */
export function mergeMessages(held: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  if (incoming.length === 0) {
    return held;
  }
  const byId = new Map(held.map((message) => [message.messageId, message]));
  for (const message of incoming) {
    const known = byId.get(message.messageId);
    byId.set(message.messageId, known ? later(known, message) : message);
  }
  return [...byId.values()].sort(comparePlace);
}

/** Replace messages that are held, and leave out the others: an edit of what is not paged in needs no place. */
export function amendMessages(held: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const byId = new Map(incoming.map((message) => [message.messageId, message]));
  return held.map((message) => {
    const change = byId.get(message.messageId);
    return change ? later(message, change) : message;
  });
}

/** Return a deleted message: it keeps its place and loses what it said. */
export function tombstone(message: Message): Message {
  return {
    ...message,
    deleted: true,
    content: null,
    mediaUrl: null,
    fileName: null,
    fileSize: null,
    duration: null,
  };
}

function advance(through: number, messages: readonly Message[]): number {
  let next = through;
  for (const { seq } of messages) {
    if (seq === next + 1) {
      next = seq;
    }
  }
  return next;
}

function greatest(messages: readonly Message[]): number {
  return messages.reduce((most, { seq }) => Math.max(most, seq ?? 0), 0);
}

/**
 * Begin a thread from the newest page, or begin it anew after `reload`.
 *
 * What was already held stays only above the page (events that overtook it): below, pages come by cursor.
 */
export function newestPage(held: Thread | undefined, page: HistoryPage): Thread {
  const through = Math.max(page.latestSeq, greatest(page.messages));
  const ahead = held?.messages.filter(({ seq }) => seq !== null && seq > through) ?? [];
  const overlap =
    held?.messages.filter((message) => page.messages.some((m) => m.messageId === message.messageId)) ?? [];
  const messages = mergeMessages([...overlap, ...ahead], page.messages);
  return { messages, through: advance(through, messages), change: page.latestChange, olderCursor: page.nextCursor };
}

/**
 * Add an older page.
 *
 * A change that was applied while the page was being read may be missing from it, and its event is gone; so the
 * known change steps back to the page's own, and the gap that this opens is filled like any other.
 */
export function olderPage(held: Thread, page: HistoryPage): Thread {
  return {
    ...held,
    messages: mergeMessages(held.messages, page.messages),
    change: Math.min(held.change, page.latestChange),
    olderCursor: page.nextCursor,
  };
}

/**
 * Apply the answer to a gap. The answer is the authority on what exists: numbers that it leaves out are messages
 * that this user does not get to see.
 */
export function gapFilled(held: Thread, page: HistoryPage): Thread {
  const messages = amendMessages(mergeMessages(held.messages, page.messages), page.changed);
  const through = Math.max(held.through, page.latestSeq, greatest(page.messages));
  return { ...held, messages, through: advance(through, messages), change: Math.max(held.change, page.latestChange) };
}

/** Add a message that an event or an answer brought. */
export function addMessage(held: Thread, message: Message): Thread {
  const messages = mergeMessages(held.messages, [message]);
  return { ...held, messages, through: advance(held.through, messages) };
}

/** Apply edit or deletion number `change`; a number further on leaves a gap open. */
export function applyChange(
  held: Thread,
  change: number,
  amend: (message: Message) => Message,
  messageId: string
): Thread {
  return {
    ...held,
    messages: held.messages.map((message) =>
      message.messageId === messageId ? later(message, amend(message)) : message
    ),
    change: change === held.change + 1 ? change : held.change,
  };
}
