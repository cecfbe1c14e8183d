/** Applies stored messages and changes to the state, from events, responses and pages. */

import type { ConversationView, HistoryPage, Message } from "../../contract";
import { withAmended, withMessage } from "./rows";
import { type Ahead, KEPT_CHANGES, type State } from "./state";
import { addMessage, appliedChanges, applyChange, tombstone } from "./thread";

const NOTHING_AHEAD: Ahead = { latestSeq: 0, latestChange: 0, messages: [], changes: [] };

/** Change a conversation's row, if there is one. */
export function touch(
  state: State,
  conversationId: string,
  change: (view: ConversationView) => ConversationView
): State {
  const row = state.rows[conversationId];
  if (!row) {
    return state;
  }
  const view = change(row.view);
  return view === row.view
    ? state
    : { ...state, rows: { ...state.rows, [conversationId]: { view, touched: state.clock } } };
}

/** Apply a stored message; if its conversation is unknown, only mark the conversation to be read. */
export function storeMessage(state: State, message: Message): State {
  const id = message.conversationId;
  if (!state.rows[id]) {
    return nameUnknown(state, id);
  }
  const present = presentOf(state, message, 0);
  const thread = state.threads[id];
  const threads = thread ? { ...state.threads, [id]: addMessage(thread, present) } : state.threads;
  const next = withMemberRead({ ...state, threads }, id, message.senderId, message.seq ?? 0);
  return countNext(noteAhead(next, id, message.seq ?? 0, 0, [present], []), id);
}

/** Return a message as its newest known change leaves it, unless it was read as of that change or a later one. */
export function presentOf(state: State, message: Message, asOf: number): Message {
  const known = state.changes[message.conversationId]?.[message.messageId];
  if (known === undefined || known.change <= asOf) {
    return message;
  }
  const present = known.message ?? tombstone(message);
  return { ...present, readBy: [...new Set([...message.readBy, ...present.readBy])] };
}

/** Record what exists of a conversation; the row shows it as soon as nothing before it is missing. */
export function noteAhead(
  state: State,
  id: string,
  latestSeq: number,
  latestChange: number,
  messages: readonly Message[] = [],
  changes: readonly number[] = []
): State {
  const held = state.ahead[id] ?? NOTHING_AHEAD;
  const next: Ahead = {
    latestSeq: Math.max(held.latestSeq, latestSeq),
    latestChange: Math.max(held.latestChange, latestChange),
    messages: messages.length > 0 ? [...held.messages, ...messages] : held.messages,
    changes: changes.length > 0 ? [...held.changes, ...changes] : held.changes,
  };
  return { ...state, ahead: { ...state.ahead, [id]: next } };
}

/** Apply to the row what follows it without a gap. */
export function countNext(state: State, id: string): State {
  const ahead = state.ahead[id];
  const row = state.rows[id];
  if (!ahead || !row) {
    return state;
  }
  const waiting = new Map(ahead.messages.map((message) => [message.seq ?? 0, message]));
  const applied = appliedChanges(row.view.latestChange, ahead.changes);
  let view = row.view.latestChange === applied.change ? row.view : { ...row.view, latestChange: applied.change };
  for (let next = waiting.get(view.latestSeq + 1); next; next = waiting.get(view.latestSeq + 1)) {
    view = withMessage(view, presentOf(state, next, 0), state.me);
  }
  const messages = [...waiting.values()].filter(({ seq }) => (seq ?? 0) > view.latestSeq);
  const left = { ...ahead, messages, changes: applied.changesAhead };
  return touch({ ...state, ahead: { ...state.ahead, [id]: left } }, id, () => view);
}

/** Apply a history page to the row: numbers up to its `latestSeq` without a message are hidden from the user. */
export function countPage(state: State, page: HistoryPage): State {
  const id = page.conversationId;
  const known = [...(state.ahead[id]?.messages ?? []), ...page.messages];
  const messages = new Map(known.map((message) => [message.seq ?? 0, message]));
  const counted = touch(noteAhead(state, id, page.latestSeq, page.latestChange), id, (held) => {
    let view = held;
    for (const seq of [...messages.keys()].sort((a, b) => a - b)) {
      const message = messages.get(seq);
      if (message && seq > view.latestSeq && seq <= page.latestSeq) {
        view = withMessage(view, presentOf(state, message, page.latestChange), state.me);
      }
    }
    const amended = page.changed.reduce((now, message) => withAmended(now, message.messageId, message), view);
    return {
      ...amended,
      latestSeq: Math.max(amended.latestSeq, page.latestSeq),
      latestChange: Math.max(amended.latestChange, page.latestChange),
    };
  });
  const beyond = page.messages.filter(({ seq }) => (seq ?? 0) > page.latestSeq);
  return countNext(noteAhead(counted, id, 0, 0, beyond), id);
}

/** Apply the read mark of another member; a sender has read the messages before the own one. */
export function withMemberRead(state: State, conversationId: string, userId: string, seq: number): State {
  const members = state.members[conversationId];
  const member = members?.[userId];
  if (!members || !member || member.lastReadSeq >= seq) {
    return state;
  }
  const next = { ...members, [userId]: { ...member, lastReadSeq: seq } };
  return { ...state, members: { ...state.members, [conversationId]: next } };
}

/** Apply the edit or deletion with number `change`; `message` is its state after it, null for a deletion. */
export function storeChange(
  state: State,
  change: number,
  conversationId: string,
  messageId: string,
  seq: number,
  message: Message | null
): State {
  if (!state.rows[conversationId]) {
    return nameUnknown(state, conversationId);
  }
  const known = state.changes[conversationId] ?? {};
  const isNewest = (known[messageId]?.change ?? 0) < change;
  const { [messageId]: _older, ...others } = known;
  const kept = Object.entries(others).slice(1 - KEPT_CHANGES);
  const changes = isNewest
    ? { ...state.changes, [conversationId]: { ...Object.fromEntries(kept), [messageId]: { change, message } } }
    : state.changes;
  const amend = isNewest ? (held: Message) => message ?? tombstone(held) : null;
  const thread = state.threads[conversationId];
  const threads = thread
    ? { ...state.threads, [conversationId]: applyChange(thread, change, messageId, amend) }
    : state.threads;
  const noted = noteAhead({ ...state, threads, changes }, conversationId, seq, change, [], [change]);
  const shown = isNewest ? touch(noted, conversationId, (view) => withAmended(view, messageId, message)) : noted;
  return countNext(shown, conversationId);
}

/** Mark a conversation to be read before it can be shown. */
export function nameUnknown(state: State, conversationId: string): State {
  return state.unknown.includes(conversationId) ? state : { ...state, unknown: [...state.unknown, conversationId] };
}

/** Apply that the user blocked or unblocked another user. */
export function withBlock(state: State, userId: string, blocked: boolean): State {
  const others = state.blocked.filter((id) => id !== userId);
  return { ...state, blocked: blocked ? [...others, userId] : others };
}

/** Remove a conversation that the user is not in any more. */
export function without(state: State, conversationId: string): State {
  const drop = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> => {
    const { [conversationId]: _removed, ...rest } = record;
    return rest;
  };
  return {
    ...state,
    rows: drop(state.rows),
    threads: drop(state.threads),
    ahead: drop(state.ahead),
    changes: drop(state.changes),
    members: drop(state.members),
    typing: drop(state.typing),
    removed: { ...state.removed, [conversationId]: state.clock },
    unknown: state.unknown.filter((id) => id !== conversationId),
    outgoing: state.outgoing.filter((message) => message.conversationId !== conversationId),
    selected: state.selected === conversationId ? null : state.selected,
  };
}
