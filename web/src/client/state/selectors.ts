/** The values that the UI shows, computed from the state. */

import type { ConversationView, Message } from "../../contract";
import type { Outgoing, State } from "./state";

/** The list: newest message first; a conversation without messages by its creation. */
export function orderedConversations(state: State): readonly ConversationView[] {
  const moment = (view: ConversationView): string => view.lastMessageAt ?? view.createdAt;
  return Object.values(state.rows)
    .map((row) => row.view)
    .sort((a, b) => moment(b).localeCompare(moment(a)) || a.conversationId.localeCompare(b.conversationId));
}

/** One entry of an open conversation: a stored message, an outgoing message, or a gap that is being filled. */
export type Entry =
  | { readonly kind: "message"; readonly key: string; readonly message: Message }
  | { readonly kind: "outgoing"; readonly key: string; readonly outgoing: Outgoing }
  | { readonly kind: "gap"; readonly key: string };

/** The entries of a conversation in order. After a gap nothing is shown until it is filled: it would move later. */
export function entriesOf(state: State, conversationId: string): readonly Entry[] {
  const thread = state.threads[conversationId];
  const entries: Entry[] = (thread?.messages ?? [])
    .filter(({ seq }) => seq === null || seq <= (thread?.through ?? 0))
    .map((message) => ({ kind: "message", key: message.messageId, message }));
  const row = state.rows[conversationId]?.view.latestSeq ?? 0;
  if (thread && thread.through < Math.max(row, state.ahead[conversationId]?.latestSeq ?? 0)) {
    entries.push({ kind: "gap", key: "gap" });
  }
  for (const outgoing of state.outgoing) {
    if (outgoing.conversationId === conversationId) {
      entries.push({ kind: "outgoing", key: outgoing.tempId, outgoing });
    }
  }
  return entries;
}

export function nameOf(state: State, userId: string): string {
  return state.names[userId] ?? "Someone";
}

export function otherParticipant(state: State, view: ConversationView): string | null {
  return view.type === "DM" ? view.participants.find((id) => id !== state.me) ?? null : null;
}

export function titleOf(state: State, view: ConversationView): string {
  if (view.type === "GROUP") {
    return view.name ?? "Group";
  }
  const other = otherParticipant(state, view);
  return (other !== null ? state.names[other] : undefined) ?? view.name ?? "Direct chat";
}

/** The users who type in a conversation now. */
export function typingUsers(state: State, conversationId: string, now: number): readonly string[] {
  return Object.entries(state.typing[conversationId] ?? {})
    .filter(([, until]) => until > now)
    .map(([userId]) => userId);
}

/** The other users who have read a message: from the members' read marks and the message's `readBy`. */
export function readersOf(state: State, message: Message): readonly string[] {
  const members = Object.values(state.members[message.conversationId] ?? {});
  const byPosition = members
    .filter((member) => message.seq !== null && member.lastReadSeq >= message.seq)
    .map((member) => member.userId);
  return [...new Set([...message.readBy, ...byPosition])].filter((id) => id !== message.senderId);
}

/** The users of the open conversation whose names are not known yet. */
export function unnamed(state: State): readonly string[] {
  const id = state.selected;
  const view = id === null ? undefined : state.rows[id]?.view;
  if (id === null || !view) {
    return [];
  }
  const shown = [...view.participants, ...(state.threads[id]?.messages.map((message) => message.senderId) ?? [])];
  return [...new Set(shown)].filter((userId) => !(userId in state.names));
}

export function totalUnread(state: State): number {
  return Object.values(state.rows).reduce((sum, row) => sum + row.view.unreadCount, 0);
}
