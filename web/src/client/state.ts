/** All that the page knows, as plain immutable data: written only by the reducer, read by the UI. */

import type { ConversationView, Member, Message, Profile } from "../contract";

/**
 * `connected` only while the server has acknowledged every subscription of this connection;
 * `refused` when it turned one down.
 */
export type Connection = "connecting" | "connected" | "reconnecting" | "offline" | "refused";

/** One row of the conversation list. `touched` is the state's clock when it last changed. */
export interface Row {
  readonly view: ConversationView;
  readonly touched: number;
}

/** The loaded part of one conversation's history. */
export interface Thread {
  /** In order of `seq`; messages of the old application (no `seq`) come first. */
  readonly messages: readonly Message[];
  /** Every message up to this number is known, or older than what has been paged in. */
  readonly through: number;
  /** Every edit and deletion up to this number has been applied. */
  readonly change: number;
  /** Where the next older page begins; null when the beginning is reached. */
  readonly olderCursor: string | null;
}

/** A message on its way: shown at once, replaced by the stored one, recognised by `tempId`. */
export interface Outgoing {
  readonly tempId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly replyTo: string | null;
  readonly createdAt: string;
  readonly status: "sending" | "failed";
  readonly error: string | null;
  /** The request may have been accepted (the answer was lost): sent again by itself after a reconnect. */
  readonly unanswered: boolean;
}

export interface State {
  readonly me: string;
  readonly profile: Profile | null;
  readonly connection: Connection;
  /** Counts actions; tells what changed while a request was under way. */
  readonly clock: number;
  readonly rows: Readonly<Record<string, Row>>;
  /** Conversations that the user left, with the clock at that moment. */
  readonly removed: Readonly<Record<string, number>>;
  readonly listLoaded: boolean;
  readonly listCursor: string | null;
  /** Conversations that an event named and the list does not hold yet. */
  readonly unknown: readonly string[];
  readonly threads: Readonly<Record<string, Thread>>;
  readonly members: Readonly<Record<string, Readonly<Record<string, Member>>>>;
  readonly outgoing: readonly Outgoing[];
  /** Who is typing where, until when (epoch milliseconds). */
  readonly typing: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly names: Readonly<Record<string, string>>;
  readonly blocked: readonly string[];
  /** The newest event ids, so that a redelivered event changes nothing. */
  readonly seen: readonly string[];
  readonly selected: string | null;
}

/** How long a typing notice counts without being repeated. */
export const TYPING_EXPIRY_MS = 3_000;
/** Event ids remembered: far more than one delivery and its repetitions can span. */
export const SEEN_EVENTS = 1_000;

export function initialState(me: string): State {
  return {
    me,
    profile: null,
    connection: "connecting",
    clock: 0,
    rows: {},
    removed: {},
    listLoaded: false,
    listCursor: null,
    unknown: [],
    threads: {},
    members: {},
    outgoing: [],
    typing: {},
    names: {},
    blocked: [],
    seen: [],
    selected: null,
  };
}
