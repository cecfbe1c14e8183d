/** Pure rules of one conversation's history: order, merging, pages and gaps. */

import type { HistoryPage, Message } from "../../contract";
import type { Thread } from "./state";

/** Compare two messages by order: without `seq` (old application) first, by time; then by `seq`. */
export function compareOrder(a: Message, b: Message): number {
  if (a.seq !== null && b.seq !== null) {
    return a.seq - b.seq;
  }
  if (a.seq === null && b.seq === null) {
    return a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0;
  }
  return a.seq === null ? -1 : 1;
}

/** Return the later of two states of a message: a deletion is final, else the later edit wins. */
export function later(held: Message, incoming: Message): Message {
  const readBy = [...new Set([...held.readBy, ...incoming.readBy])];
  const heldIsLater = held.deleted
    ? !incoming.deleted
    : !incoming.deleted && (held.editedAt ?? "") > (incoming.editedAt ?? "");
  return { ...(heldIsLater ? held : incoming), readBy };
}

/** Add messages to a list, each once, in order. */
export function mergeMessages(held: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  if (incoming.length === 0) {
    return held;
  }
  const byId = new Map(held.map((message) => [message.messageId, message]));
  for (const message of incoming) {
    const known = byId.get(message.messageId);
    byId.set(message.messageId, known ? later(known, message) : message);
  }
  return [...byId.values()].sort(compareOrder);
}

/** Replace loaded messages; an edited message that is not loaded is left out. */
export function amendMessages(held: readonly Message[], incoming: readonly Message[]): readonly Message[] {
  const byId = new Map(incoming.map((message) => [message.messageId, message]));
  return held.map((message) => {
    const change = byId.get(message.messageId);
    return change ? later(message, change) : message;
  });
}

/** Return a deleted message: it keeps its `seq` and loses content and media. */
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
 * Create a thread from the newest page, or replace it after `reload`.
 *
 * Of the loaded messages, only those after the page remain (their events overtook it); older ones are paged in again.
 */
export function newestPage(held: Thread | undefined, page: HistoryPage): Thread {
  const through = Math.max(page.latestSeq, greatest(page.messages));
  const ahead = held?.messages.filter(({ seq }) => seq !== null && seq > through) ?? [];
  const overlap =
    held?.messages.filter((message) => page.messages.some((m) => m.messageId === message.messageId)) ?? [];
  const messages = mergeMessages([...overlap, ...ahead], page.messages);
  return {
    messages,
    through: advance(through, messages),
    ...appliedChanges(page.latestChange, held?.changesAhead ?? []),
    olderCursor: page.nextCursor,
  };
}

/**
 * Add an older page.
 *
 * The page may lack a change that was applied while it was being read, and its event does not come again. So the known
 * change number is set back to that of the page, and the gap that this opens is filled like any other.
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
 * Apply the response to a gap. It is complete: a sequence number without a message in it is hidden from this user.
 */
export function gapFilled(held: Thread, page: HistoryPage): Thread {
  const messages = amendMessages(mergeMessages(held.messages, page.messages), page.changed);
  const through = Math.max(held.through, page.latestSeq, greatest(page.messages));
  const change = Math.max(held.change, page.latestChange);
  return {
    ...held,
    messages,
    through: advance(through, messages),
    ...appliedChanges(change, held.changesAhead),
  };
}

/** Add a message from an event or a response. */
export function addMessage(held: Thread, message: Message): Thread {
  const messages = mergeMessages(held.messages, [message]);
  return { ...held, messages, through: advance(held.through, messages) };
}

/** Apply the edit or deletion with number `change`; `amend` is null if a later change of the message is known. */
export function applyChange(
  held: Thread,
  change: number,
  messageId: string,
  amend: ((message: Message) => Message) | null
): Thread {
  return {
    ...held,
    messages: amend
      ? held.messages.map((message) => (message.messageId === messageId ? later(message, amend(message)) : message))
      : held.messages,
    ...appliedChanges(held.change, [...held.changesAhead, change]),
  };
}

/** Return the number up to which every change is applied, and the numbers after a missing one. */
export function appliedChanges(change: number, ahead: readonly number[]): Pick<Thread, "change" | "changesAhead"> {
  let next = change;
  const waiting = new Set(ahead.filter((number) => number > change));
  while (waiting.delete(next + 1)) {
    next += 1;
  }
  return { change: next, changesAhead: [...waiting] };
}
