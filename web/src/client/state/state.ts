/** The state of the page as immutable data: written only by the reducer, read by the UI. */

import type { ConversationView, Member, Message, Profile } from "../../contract";

/**
 * `connected`: the server has acknowledged every subscription of the present connection.
 * `refused`: the server refused a subscription.
 */
export type Connection = "connecting" | "connected" | "reconnecting" | "offline" | "refused";

/** One row of the conversation list. `touched` is the state's clock at its last change. */
export interface Row {
  readonly view: ConversationView;
  readonly touched: number;
}

/** The loaded part of one conversation's history. */
export interface Thread {
  /** In order of `seq`; messages of the old application (no `seq`) come first. */
  readonly messages: readonly Message[];
  /** Sequence number up to which there is no gap. */
  readonly through: number;
  /** Change number up to which every edit and deletion has been applied. */
  readonly change: number;
  /** The numbers of applied changes after a missing one. */
  readonly changesAhead: readonly number[];
  /** Cursor of the next older page; null at the beginning of the conversation. */
  readonly olderCursor: string | null;
}

/** What is known of a conversation beyond what its row shows, because numbers before it are missing. */
export interface Ahead {
  /** The greatest numbers that are known to exist. */
  readonly latestSeq: number;
  readonly latestChange: number;
  readonly messages: readonly Message[];
  readonly changes: readonly number[];
}

/** The newest known edit or deletion of a message; `message` is its state after it, null for a deletion. */
export interface Change {
  readonly change: number;
  readonly message: Message | null;
}

/** A message that is not stored yet: shown at once, replaced by the stored message with its `tempId`. */
export interface Outgoing {
  readonly tempId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly replyTo: string | null;
  readonly createdAt: string;
  readonly status: "sending" | "failed";
  readonly error: string | null;
  /** The request may have taken effect (its response was lost): sent again automatically after a reconnect. */
  readonly unanswered: boolean;
}

export interface State {
  readonly me: string;
  readonly profile: Profile | null;
  readonly connection: Connection;
  /** Counts actions; shows what changed while a request was running. */
  readonly clock: number;
  readonly rows: Readonly<Record<string, Row>>;
  /** Conversations that the user left, with the clock at that time. */
  readonly removed: Readonly<Record<string, number>>;
  readonly listLoaded: boolean;
  readonly listCursor: string | null;
  /** Conversations that an event named and that are not in the list yet. */
  readonly unknown: readonly string[];
  readonly threads: Readonly<Record<string, Thread>>;
  readonly ahead: Readonly<Record<string, Ahead>>;
  /** By conversation and message: a change may arrive before its message. */
  readonly changes: Readonly<Record<string, Readonly<Record<string, Change>>>>;
  readonly members: Readonly<Record<string, Readonly<Record<string, Member>>>>;
  readonly outgoing: readonly Outgoing[];
  /** When each typing notice expires (epoch milliseconds), by conversation and user. */
  readonly typing: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly names: Readonly<Record<string, string>>;
  readonly blocked: readonly string[];
  /** The newest event ids, so that a duplicate changes nothing. */
  readonly seen: readonly string[];
  readonly selected: string | null;
}

/** How long a typing notice is valid without another one. */
export const TYPING_EXPIRY_MS = 3_000;
/** How many event ids are kept: far more than arrive between an event and its duplicate. */
export const SEEN_EVENTS = 1_000;
/** How many changes of a conversation are kept for messages that arrive after them. */
export const KEPT_CHANGES = 500;

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
    ahead: {},
    changes: {},
    members: {},
    outgoing: [],
    typing: {},
    names: {},
    blocked: [],
    seen: [],
    selected: null,
  };
}
