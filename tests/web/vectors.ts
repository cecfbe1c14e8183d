/** Applies the steps of `contract/vectors/messages.json` to the page's state, and reads its view. */

import { gapOf, reduce } from "../../web/src/client/state/reducer";
import { entriesOf, titleOf, typingUsers } from "../../web/src/client/state/selectors";
import { type State, initialState } from "../../web/src/client/state/state";
import type { Action } from "../../web/src/client/state/actions";
import type { ConversationView, HistoryPage, Message } from "../../web/src/contract";
import { lastMessageOf } from "../../web/src/client/state/rows";
import { event, message as anyMessage, page as anyPage, view as anyView } from "./backend";

export const ME = "ada";
export const CONVERSATION = "c";
const NAMES: Readonly<Record<string, string>> = {
  ada: "Ada Lovelace",
  grace: "Grace Hopper",
  alan: "Alan Turing",
};
const DATE = "2026-01-01T00:00:00.000Z";

export type Fields = Readonly<Record<string, any>>;

export interface Case {
  readonly name: string;
  readonly type?: "DM" | "GROUP";
  readonly start?: "none" | { readonly first: number; readonly last: number };
  readonly anyOrder?: readonly Fields[];
  readonly steps: readonly Fields[];
  readonly view: Fields;
}

const MESSAGE_FIELDS = ["messageId", "senderId", "type", "seq", "content", "editedAt"] as const;

function message(fields: Fields): Message {
  const given = Object.fromEntries(MESSAGE_FIELDS.filter((name) => name in fields).map((name) => [name, fields[name]]));
  return anyMessage(Number(fields["seq"] ?? 0), { conversationId: CONVERSATION, senderId: "grace", ...given });
}

function edited(step: Fields): Message {
  const number = String(step["change"] ?? step["changed"]).padStart(2, "0");
  return message({ ...step, editedAt: `2026-02-01T00:00:${number}.000Z` });
}

function page(fields: Fields): HistoryPage {
  return anyPage((fields["messages"] as Fields[]).map(message), {
    conversationId: CONVERSATION,
    latestSeq: fields["latestSeq"],
    latestChange: fields["latestChange"] ?? 0,
    changed: ((fields["changed"] ?? []) as Fields[]).map(message),
  });
}

/** Return every sequence of steps of a case: each order of `anyOrder`, followed by `steps`. */
export function sequences(one: Case): (readonly Fields[])[] {
  return permutations(one.anyOrder ?? []).map((order) => [...order, ...one.steps]);
}

function permutations<T>(items: readonly T[]): T[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((item, at) => permutations(items.filter((_, index) => index !== at)).map((rest) => [item, ...rest]));
}

/** The page's state at the start of a case, and the steps that change it. */
export class PageUnderTest {
  private state: State = initialState(ME);
  private now = 1_000_000;
  private start = 0;
  private readonly kind: "DM" | "GROUP";

  constructor(one: Case) {
    this.kind = one.type ?? "DM";
    const start = one.start ?? { first: 1, last: 3 };
    if (start !== "none") {
      this.list(this.conversation({ latestSeq: start.last, lastReadSeq: start.last }), true);
      this.members();
      this.dispatch({ type: "selected", conversationId: CONVERSATION });
      const messages = [];
      for (let seq = start.last; seq >= start.first; seq -= 1) {
        messages.push({ seq });
      }
      this.dispatch({ type: "history", kind: "newest", page: page({ messages, latestSeq: start.last }) });
    }
    this.start = this.state.clock;
  }

  apply(step: Fields): void {
    if (step["event"] !== undefined) {
      const data = this.data(step["event"] as string, step);
      this.dispatch({ type: "event", event: event(step["event"], data, step["id"]), at: this.now });
    } else if (step["newest"] ?? step["reload"]) {
      this.dispatch({ type: "history", kind: "newest", page: page(step["newest"] ?? step["reload"]) });
    } else if (step["gap"]) {
      if (gapOf(this.state, CONVERSATION) === null) {
        throw new Error("nothing is missing");
      }
      this.dispatch({ type: "history", kind: "gap", page: page(step["gap"]) });
    } else if (step["older"]) {
      this.dispatch({ type: "history", kind: "older", page: page(step["older"]) });
    } else if (step["conversation"]) {
      this.list(this.conversation(step["conversation"]), false, step["requestedAtStart"] ? this.start : undefined);
    } else if (step["sending"]) {
      const { sending: tempId, content } = step;
      this.dispatch({ type: "sending", conversationId: CONVERSATION, tempId, content, replyTo: null, createdAt: DATE });
    } else if (step["sent"]) {
      const stored = message({ ...step, senderId: ME });
      const { messageId } = stored;
      const delivery = { delivered: 1, pending: 0 };
      const answer = { success: true as const, messageId, tempId: step["sent"], message: stored, delivery };
      this.dispatch({ type: "sent", tempId: step["sent"], answer: { ...answer, duplicate: false } });
    } else if (step["changed"]) {
      this.dispatch({ type: "changed", answer: { success: true, change: step["changed"], message: edited(step) } });
    } else if (step["markRead"]) {
      this.dispatch({ type: "read", conversationId: CONVERSATION, seq: step["markRead"] });
    } else if (step["seconds"]) {
      this.now += step["seconds"] * 1_000;
      this.dispatch({ type: "tick", now: this.now });
    } else {
      throw new Error(`no such step: ${JSON.stringify(step)}`);
    }
  }

  /** The view in the form of the vectors. */
  shown(): Fields {
    const view = this.state.rows[CONVERSATION]?.view;
    const found = {
      listed: view !== undefined,
      toBeRead: this.state.unknown.includes(CONVERSATION),
      drafts: this.state.outgoing.map(({ tempId }) => tempId),
    };
    if (!view) {
      return found;
    }
    const gap = gapOf(this.state, CONVERSATION);
    const shown = entriesOf(this.state, CONVERSATION).flatMap((entry) =>
      entry.kind === "message" ? [entry.message] : []
    );
    const members = Object.values(this.state.members[CONVERSATION] ?? {});
    return {
      ...found,
      messages: shown.map(({ seq, deleted, content }) => [seq, deleted ? null : content]),
      gap: gap && [gap.afterSeq, gap.afterChange],
      unread: view.unreadCount,
      latestSeq: view.latestSeq,
      lastReadSeq: view.lastReadSeq,
      preview: view.lastMessage?.preview ?? null,
      deleted: view.lastMessage?.deleted ?? false,
      typing: typingUsers(this.state, CONVERSATION, this.now),
      read: Object.fromEntries(
        members.filter((one) => one.userId !== ME && one.lastReadSeq > 0).map((one) => [one.userId, one.lastReadSeq])
      ),
      name: titleOf(this.state, view),
    };
  }

  private dispatch(action: Action): void {
    this.state = reduce(this.state, action);
  }

  private list(view: ConversationView, complete: boolean, since = this.state.clock): void {
    const answer = { success: true as const, conversations: [view], nextCursor: null };
    this.dispatch({ type: "list", page: answer, since, complete });
  }

  private members(): void {
    const conversation = this.state.rows[CONVERSATION]?.view ?? this.conversation({});
    const members = conversation.participants.map((userId) => ({
      userId,
      role: "MEMBER" as const,
      joinedAt: DATE,
      lastReadSeq: 0,
    }));
    const answer = { success: true as const, conversation, members };
    this.dispatch({ type: "conversation", answer, since: this.state.clock });
  }

  private conversation(fields: Fields): ConversationView {
    const users = this.kind === "DM" ? ["ada", "grace"] : ["ada", "grace", "alan"];
    const newest = lastMessageOf(message({ seq: fields["latestSeq"] ?? 3 }));
    return anyView({
      conversationId: CONVERSATION,
      type: this.kind,
      participants: users,
      version: this.kind === "DM" ? 1 : 3,
      latestSeq: 3,
      lastReadSeq: 3,
      name: this.kind === "DM" ? NAMES["grace"] ?? null : "Group",
      lastMessage: newest,
      lastMessageAt: newest.timestamp,
      participantNames: Object.fromEntries(users.map((user) => [user, NAMES[user] ?? ""])),
      ...fields,
    });
  }

  private data(kind: string, step: Fields): object {
    const place = { conversationId: CONVERSATION };
    switch (kind) {
      case "MESSAGE_SENT":
        return { ...message(step), tempId: step["tempId"] ?? null };
      case "MESSAGE_UPDATED": {
        const stored = edited(step);
        const { messageId, senderId: updatedBy } = stored;
        return { ...place, messageId, change: step["change"], updatedBy, message: stored };
      }
      case "MESSAGE_DELETED": {
        const { seq, change } = step;
        return { ...place, messageId: `m${seq}`, seq, change, deletedBy: "grace", deletedAt: DATE };
      }
      case "MESSAGE_READ":
        return { ...place, readBy: step["by"], readSeq: step["seq"], readAt: DATE };
      case "USER_TYPING":
      case "USER_STOPPED_TYPING":
        return { ...place, userId: step["user"] };
      case "CONVERSATION_REMOVED":
        return { ...place, userId: step["user"], removedBy: "grace" };
      case "CONVERSATION_UPDATED": {
        const { event: _event, id: _id, ...fields } = step;
        return { conversation: this.conversation(fields), changedBy: "grace" };
      }
      case "USER_UPDATED":
        return { user: { userId: step["user"], firstName: "", lastName: "", fullName: step["fullName"] } };
      default:
        throw new Error(`no such event: ${kind}`);
    }
  }
}
