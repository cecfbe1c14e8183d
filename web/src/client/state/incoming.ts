/** Applies events to the state. */

import type { ChannelEvent, Conversation } from "../../contract";
import { withConversation, withReadMark } from "./rows";
import { SEEN_EVENTS, type State, TYPING_EXPIRY_MS } from "./state";
import {
  amendStored,
  nameUnknown,
  storeChange,
  storeMessage,
  touch,
  withBlock,
  withMemberRead,
  without,
} from "./stored";
import { tombstone } from "./thread";

/** Apply an event; a duplicate changes nothing. `at` is the present in epoch milliseconds. */
export function applyEvent(state: State, event: ChannelEvent, at: number): State {
  if (state.seen.includes(event.eventId)) {
    return state;
  }
  return apply({ ...state, seen: [...state.seen, event.eventId].slice(-SEEN_EVENTS) }, event, at);
}

function apply(state: State, event: ChannelEvent, at: number): State {
  switch (event.type) {
    case "MESSAGE_SENT": {
      const { tempId, ...message } = event.data;
      const stored = withoutTyping(storeMessage(state, message), message.conversationId, message.senderId);
      return message.senderId === state.me && tempId !== null
        ? { ...stored, outgoing: stored.outgoing.filter((sending) => sending.tempId !== tempId) }
        : stored;
    }
    case "MESSAGE_UPDATED":
      return storeChange(state, event.data.change, event.data.message);
    case "MESSAGE_DELETED": {
      const { change, conversationId, messageId } = event.data;
      return amendStored(state, change, conversationId, messageId, tombstone, (last) => ({
        ...last,
        preview: null,
        deleted: true,
      }));
    }
    case "MESSAGE_READ": {
      const { conversationId, readBy, readSeq, readers } = event.data;
      // An event that was stored by an earlier version has no `readers`.
      const marks = readers?.length > 0 ? readers : [{ userId: readBy, readSeq }];
      return marks.reduce((read, mark) => withRead(read, conversationId, mark.userId, mark.readSeq), state);
    }
    case "USER_TYPING": {
      const { conversationId, userId } = event.data;
      const users = { ...state.typing[conversationId], [userId]: at + TYPING_EXPIRY_MS };
      return userId === state.me ? state : { ...state, typing: { ...state.typing, [conversationId]: users } };
    }
    case "USER_STOPPED_TYPING":
      return withoutTyping(state, event.data.conversationId, event.data.userId);
    case "CONVERSATION_CREATED":
    case "CONVERSATION_UPDATED":
      return withChanged(state, event.data.conversation);
    case "CONVERSATION_REMOVED":
      return event.data.userId === state.me ? without(state, event.data.conversationId) : state;
    case "USER_UPDATED":
      return withName(state, event.data.user.userId, event.data.user.fullName);
    case "USER_BLOCKED":
      return withBlock(state, event.data.userId, true);
    case "USER_UNBLOCKED":
      return withBlock(state, event.data.userId, false);
    default:
      // A newer event type that this page does not know.
      return state;
  }
}

function withRead(state: State, conversationId: string, userId: string, seq: number): State {
  return userId === state.me
    ? touch(state, conversationId, (view) => withReadMark(view, seq))
    : withMemberRead(state, conversationId, userId, seq);
}

function withChanged(state: State, conversation: Conversation): State {
  const id = conversation.conversationId;
  if (!conversation.participants.includes(state.me)) {
    return state.rows[id] && conversation.version >= state.rows[id].view.version ? without(state, id) : state;
  }
  return state.rows[id] ? touch(state, id, (view) => withConversation(view, conversation)) : nameUnknown(state, id);
}

function withoutTyping(state: State, conversationId: string, userId: string): State {
  const users = state.typing[conversationId];
  if (!users || !(userId in users)) {
    return state;
  }
  const { [userId]: _removed, ...rest } = users;
  return { ...state, typing: { ...state.typing, [conversationId]: rest } };
}

function withName(state: State, userId: string, fullName: string): State {
  const rows = Object.fromEntries(
    Object.entries(state.rows).map(([id, row]) =>
      row.view.type === "DM" && userId !== state.me && row.view.participants.includes(userId)
        ? [id, { view: { ...row.view, name: fullName }, touched: state.clock }]
        : [id, row]
    )
  );
  return { ...state, rows, names: { ...state.names, [userId]: fullName } };
}
