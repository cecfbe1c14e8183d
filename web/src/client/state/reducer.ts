/**
 * The reducer of the state: a pure function, so that every order of actions can be tested without a server.
 *
 * Every action is idempotent: messages by `seq` and `messageId`, events by `eventId`, changes by their number,
 * outgoing messages by `tempId`. `gapOf` names what is missing and must be read.
 */

import type { Conversation, ConversationPage, ConversationView, HistoryPage } from "../../contract";
import type { Action } from "./actions";
import { applyEvent, storeEdit, withGroup } from "./incoming";
import { withReadMark, withView } from "./rows";
import type { State } from "./state";
import { countNext, countPage, noteAhead, presentOf, storeMessage, touch, withBlock, without } from "./stored";
import { gapFilled, newestPage, olderPage } from "./thread";

export function reduce(previous: State, action: Action): State {
  const state = { ...previous, clock: previous.clock + 1 };
  switch (action.type) {
    case "event":
      return applyEvent(state, action.event, action.at);
    case "connection":
      return { ...state, connection: action.connection };
    case "list":
      return withList(state, action.page, action.since, action.complete);
    case "conversation": {
      const { conversation, members } = action.answer;
      const next = withViews(state, [conversation], action.since);
      const byId = Object.fromEntries(members.map((member) => [member.userId, member]));
      return { ...next, members: { ...next.members, [conversation.conversationId]: byId } };
    }
    case "direct": {
      const next = withViews(state, [action.view], action.since);
      return { ...next, names: { ...next.names, [action.other.userId]: action.other.fullName } };
    }
    case "group":
      return withGroupAnswer(state, action.conversation);
    case "gone":
      return without(state, action.conversationId);
    case "selected":
      return { ...state, selected: action.conversationId };
    case "history":
      return withHistory(state, action.kind, action.page);
    case "sending":
      return {
        ...state,
        outgoing: [
          ...state.outgoing,
          {
            tempId: action.tempId,
            conversationId: action.conversationId,
            content: action.content,
            replyTo: action.replyTo,
            createdAt: action.createdAt,
            status: "sending",
            error: null,
            unanswered: false,
          },
        ],
      };
    case "sent":
      return dropOutgoing(storeMessage(state, action.answer.message), action.tempId);
    case "sendFailed":
      return amendOutgoing(state, action.tempId, {
        status: "failed",
        error: action.error,
        unanswered: action.unanswered,
      });
    case "resending":
      return amendOutgoing(state, action.tempId, { status: "sending", error: null });
    case "discarded":
      return dropOutgoing(state, action.tempId);
    case "changed":
      return storeEdit(state, action.answer.change, action.answer.message);
    case "read":
      return touch(state, action.conversationId, (view) => withReadMark(view, action.seq));
    case "tick":
      return withoutExpiredTyping(state, action.now);
    case "profile":
      return {
        ...state,
        profile: action.profile,
        names: { ...state.names, [action.profile.userId]: action.profile.fullName },
      };
    case "people":
      return {
        ...state,
        names: { ...state.names, ...Object.fromEntries(action.users.map((user) => [user.userId, user.fullName])) },
      };
    case "blocks":
      return { ...state, blocked: action.page.userIds };
    case "blocked":
      return withBlock(state, action.userId, action.blocked);
  }
}

/** A part of a conversation that exists and is not loaded. */
export interface Gap {
  readonly conversationId: string;
  readonly afterSeq: number;
  readonly afterChange: number;
}

/** Return what a loaded conversation misses, or null if nothing is known to be missing. */
export function gapOf(state: State, conversationId: string): Gap | null {
  const thread = state.threads[conversationId];
  const view = state.rows[conversationId]?.view;
  const ahead = state.ahead[conversationId];
  if (!thread || !view) {
    return null;
  }
  const latestSeq = Math.max(view.latestSeq, ahead?.latestSeq ?? 0);
  const latestChange = Math.max(view.latestChange, ahead?.latestChange ?? 0);
  if (thread.through >= latestSeq && thread.change >= latestChange) {
    return null;
  }
  return { conversationId, afterSeq: thread.through, afterChange: thread.change };
}

/** Return whether a row of the list misses messages or changes that are known to exist. */
export function rowIsBehind(state: State, conversationId: string): boolean {
  const view = state.rows[conversationId]?.view;
  const ahead = state.ahead[conversationId];
  return !!view && !!ahead && (view.latestSeq < ahead.latestSeq || view.latestChange < ahead.latestChange);
}

function withViews(state: State, views: readonly ConversationView[], since: number): State {
  const rows = { ...state.rows };
  const names = { ...state.names };
  const added = new Set<string>();
  for (const view of views) {
    const id = view.conversationId;
    if ((state.removed[id] ?? -1) > since || !view.participants.includes(state.me)) {
      continue;
    }
    rows[id] = withView(rows[id], view, since, state.clock);
    Object.assign(names, view.participantNames);
    added.add(id);
  }
  const next = { ...state, rows, names, unknown: state.unknown.filter((id) => !added.has(id)) };
  return [...added].reduce(countNext, next);
}

function withList(state: State, page: ConversationPage, since: number, complete: boolean): State {
  const listed = new Set(page.conversations.map((view) => view.conversationId));
  const stale = complete
    ? Object.entries(state.rows).filter(([id, row]) => !listed.has(id) && row.touched <= since)
    : [];
  const next = stale.reduce((current, [id]) => without(current, id), state);
  return { ...withViews(next, page.conversations, since), listLoaded: true, listCursor: page.nextCursor };
}

/** Apply a group from a response. A new group gets its row at once: its creator has nothing to read. */
function withGroupAnswer(state: State, conversation: Conversation): State {
  const id = conversation.conversationId;
  if (!conversation.participants.includes(state.me)) {
    return without(state, id);
  }
  if (state.rows[id]) {
    return withGroup(state, conversation);
  }
  const view = { ...conversation, unreadCount: 0, lastReadSeq: conversation.latestSeq, participantNames: {} };
  return { ...state, rows: { ...state.rows, [id]: { view, touched: state.clock } } };
}

function withHistory(state: State, kind: "newest" | "older" | "gap", page: HistoryPage): State {
  const id = page.conversationId;
  const held = state.threads[id];
  if (!state.rows[id] || (kind !== "newest" && !held)) {
    return state;
  }
  const present = { ...page, messages: page.messages.map((message) => presentOf(state, message, page.latestChange)) };
  const thread =
    kind === "newest" || !held
      ? newestPage(held, present)
      : kind === "older"
      ? olderPage(held, present)
      : gapFilled(held, present);
  const next = { ...state, threads: { ...state.threads, [id]: thread } };
  return kind === "older" ? noteAhead(next, id, page.latestSeq, page.latestChange) : countPage(next, present);
}

function amendOutgoing(state: State, tempId: string, change: Partial<State["outgoing"][number]>): State {
  return {
    ...state,
    outgoing: state.outgoing.map((message) => (message.tempId === tempId ? { ...message, ...change } : message)),
  };
}

function dropOutgoing(state: State, tempId: string): State {
  return { ...state, outgoing: state.outgoing.filter((message) => message.tempId !== tempId) };
}

function withoutExpiredTyping(state: State, now: number): State {
  const typing: Record<string, Record<string, number>> = {};
  for (const [id, users] of Object.entries(state.typing)) {
    const live = Object.entries(users).filter(([, until]) => until > now);
    if (live.length > 0) {
      typing[id] = Object.fromEntries(live);
    }
  }
  return { ...state, typing };
}
