/** Applies stored messages and changes to the state, from events, responses and pages. */

import type { ConversationView, LastMessage, Message } from "../../contract";
import { lastMessageOf, withChange, withMessage } from "./rows";
import type { State } from "./state";
import { addMessage, applyChange } from "./thread";

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
  const thread = state.threads[id];
  const threads = thread ? { ...state.threads, [id]: addMessage(thread, message) } : state.threads;
  const next = withMemberRead({ ...state, threads }, id, message.senderId, message.seq ?? 0);
  return touch(next, id, (view) => withMessage(view, message, state.me));
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

/** Apply an edit or deletion, given the present state of the message. */
export function storeChange(state: State, change: number, message: Message): State {
  return amendStored(
    state,
    change,
    message.conversationId,
    message.messageId,
    () => message,
    () => lastMessageOf(message)
  );
}

/** Apply the edit or deletion with number `change`, given its effect on the message and on the preview. */
export function amendStored(
  state: State,
  change: number,
  conversationId: string,
  messageId: string,
  amend: (message: Message) => Message,
  amendLast: (last: LastMessage) => LastMessage
): State {
  const thread = state.threads[conversationId];
  const threads = thread
    ? { ...state.threads, [conversationId]: applyChange(thread, change, amend, messageId) }
    : state.threads;
  return touch({ ...state, threads }, conversationId, (view) => withChange(view, change, messageId, amendLast));
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
    members: drop(state.members),
    typing: drop(state.typing),
    removed: { ...state.removed, [conversationId]: state.clock },
    unknown: state.unknown.filter((id) => id !== conversationId),
    outgoing: state.outgoing.filter((message) => message.conversationId !== conversationId),
    selected: state.selected === conversationId ? null : state.selected,
  };
}
