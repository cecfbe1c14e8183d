/** An in-memory backend with the API's rules, and a realtime connection and a clock that the test controls. */

import { type Api, ApiError, type PathParameters } from "../../web/src/client/api";
import type { Clock } from "../../web/src/client/clock";
import type { Realtime, RealtimeListener } from "../../web/src/client/realtime";
import type { Connection } from "../../web/src/client/state/state";
import type {
  ChannelEvent,
  ConversationView,
  HistoryPage,
  Message,
  Operation,
  Operations,
} from "../../web/src/contract";

export const ADA = "user-ada";
export const GRACE = "user-grace";
export const DM = "conversation-dm";

export function message(seq: number, fields: Partial<Message> = {}): Message {
  return {
    messageId: `m${seq}`,
    conversationId: DM,
    senderId: GRACE,
    timestamp: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(),
    type: "TEXT",
    seq,
    content: `text ${seq}`,
    mediaUrl: null,
    fileName: null,
    fileSize: null,
    duration: null,
    replyTo: null,
    readBy: [],
    reactions: {},
    deleted: false,
    createdAt: null,
    editedAt: null,
    ...fields,
  };
}

export function view(fields: Partial<ConversationView> = {}): ConversationView {
  return {
    conversationId: DM,
    type: "DM",
    participants: [ADA, GRACE],
    admins: [],
    createdBy: ADA,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    version: 1,
    latestSeq: 0,
    latestChange: 0,
    name: "Grace Hopper",
    description: null,
    avatar: null,
    lastMessageAt: null,
    lastMessage: null,
    channel: null,
    unreadCount: 0,
    lastReadSeq: 0,
    participantNames: { [ADA]: "Ada Lovelace", [GRACE]: "Grace Hopper" },
    ...fields,
  };
}

export function page(messages: Message[], fields: Partial<HistoryPage> = {}): HistoryPage {
  const latestSeq = messages.reduce((most, { seq }) => Math.max(most, seq ?? 0), 0);
  return {
    conversationId: DM,
    messages,
    latestSeq,
    latestChange: 0,
    nextCursor: null,
    changed: [],
    reload: false,
    success: true,
    ...fields,
  };
}

let eventNumber = 0;

/** Return an event with its envelope; the loose typing allows events that no server would send. */
export function event(type: string, data: object, eventId = `e${(eventNumber += 1)}`): ChannelEvent {
  const timestamp = "2026-01-01T00:00:00.000Z";
  return { type, eventId, timestamp, serverTimestamp: timestamp, data } as unknown as ChannelEvent;
}

type Handler = (path: Record<string, string>, request: Record<string, unknown>) => object;
type Fault = (operation: Operation) => "before" | "after" | null;

/** One stored direct conversation. A gap of more than `gapLimit` messages or changes gets `reload`. */
export class FakeBackend {
  readonly log: Message[] = [];
  readonly calls: { operation: Operation; path: Record<string, string>; request: Record<string, unknown> }[] = [];
  /** Events published to Ada, oldest first; the test removes and delivers them. */
  published: ChannelEvent[] = [];
  running = 0;
  fault: Fault = () => null;
  gapLimit = 200;
  pageSize = 50;
  /** Pages that hold only hidden messages, before the next page with messages. */
  hiddenPages = 0;
  adaReadSeq = 0;
  private readonly changes: string[] = [];
  private readonly accepted = new Map<string, Message>();

  get latestSeq(): number {
    return this.log.length;
  }

  store(senderId: string, content: string, tempId: string | null = null): Message {
    const known = tempId === null ? undefined : this.accepted.get(tempId);
    if (known) {
      return this.log.find(({ messageId }) => messageId === known.messageId) ?? known;
    }
    const stored = message(this.log.length + 1, { senderId, content });
    this.log.push(stored);
    if (tempId !== null) {
      this.accepted.set(tempId, stored);
    }
    if (senderId === ADA) {
      this.adaReadSeq = stored.seq ?? 0;
    }
    this.published.push(event("MESSAGE_SENT", { ...stored, tempId }));
    return stored;
  }

  edit(messageId: string, content: string): { message: Message; change: number } {
    return this.amend(messageId, (held, change) => ({
      ...held,
      content,
      editedAt: new Date(change * 1000).toISOString(),
    }));
  }

  remove(messageId: string): { message: Message; change: number } {
    return this.amend(messageId, (held) => ({ ...held, content: null, deleted: true }));
  }

  private amend(
    messageId: string,
    amend: (held: Message, change: number) => Message
  ): { message: Message; change: number } {
    const index = this.log.findIndex((held) => held.messageId === messageId);
    const held = this.log[index];
    if (!held || held.deleted) {
      throw new ApiError(held ? 409 : 404, held ? "CONFLICT" : "NOT_FOUND", "The message cannot be changed.");
    }
    const change = this.changes.push(messageId);
    const now = amend(held, change);
    this.log[index] = now;
    this.published.push(
      now.deleted
        ? event("MESSAGE_DELETED", {
            conversationId: DM,
            messageId,
            seq: now.seq,
            change,
            deletedBy: now.senderId,
            deletedAt: "2026-01-01T00:00:00.000Z",
          })
        : event("MESSAGE_UPDATED", { conversationId: DM, messageId, change, updatedBy: now.senderId, message: now })
    );
    return { message: now, change };
  }

  adaView(): ConversationView {
    const last = this.log.at(-1);
    return view({
      latestSeq: this.latestSeq,
      latestChange: this.changes.length,
      lastMessageAt: last?.timestamp ?? null,
      lastMessage: last
        ? {
            messageId: last.messageId,
            senderId: last.senderId,
            type: last.type,
            timestamp: last.timestamp,
            seq: last.seq ?? 0,
            preview: last.content,
            deleted: last.deleted,
          }
        : null,
      lastReadSeq: this.adaReadSeq,
      unreadCount: this.latestSeq - this.adaReadSeq,
    });
  }

  private history(request: Record<string, unknown>): HistoryPage {
    const latest = { latestSeq: this.latestSeq, latestChange: this.changes.length };
    if (request["afterSeq"] !== undefined) {
      const after = request["afterSeq"] as number;
      const afterChange = request["afterChange"] as number;
      const missed = this.changes.slice(afterChange);
      if (this.latestSeq - after > this.gapLimit || missed.length > this.gapLimit) {
        return page([], { ...latest, reload: true });
      }
      const changed = this.log.filter(({ messageId }) => missed.includes(messageId));
      return page(this.log.slice(after), { ...latest, changed });
    }
    if (this.hiddenPages > 0) {
      this.hiddenPages -= 1;
      const position = request["cursor"] === undefined ? String(this.log.length) : (request["cursor"] as string);
      return page([], { ...latest, nextCursor: position });
    }
    const end = request["cursor"] === undefined ? this.log.length : Number(request["cursor"]);
    const start = Math.max(0, end - this.pageSize);
    return page(this.log.slice(start, end).reverse(), { ...latest, nextCursor: start > 0 ? String(start) : null });
  }

  private readonly handlers: Partial<Record<Operation, Handler>> = {
    listConversations: () => ({ conversations: [this.adaView()], nextCursor: null }),
    getConversation: () => ({
      conversation: this.adaView(),
      members: [ADA, GRACE].map((userId) => ({ userId, role: "MEMBER", joinedAt: "", lastReadSeq: 0 })),
    }),
    getHistory: (_path, request) => this.history(request),
    getMe: () => ({ user: { userId: ADA, fullName: "Ada Lovelace" } }),
    listBlocks: () => ({ userIds: [] }),
    setTyping: () => ({}),
    markRead: (_path, request) => {
      this.adaReadSeq = Math.max(this.adaReadSeq, Math.min(request["seq"] as number, this.latestSeq));
      return { conversationId: DM, lastReadSeq: this.adaReadSeq, unreadCount: this.latestSeq - this.adaReadSeq };
    },
    sendMessage: (_path, request) => {
      const tempId = request["tempId"] as string;
      const duplicate = this.accepted.has(tempId);
      const stored = this.store(ADA, request["content"] as string, tempId);
      return {
        messageId: stored.messageId,
        tempId,
        message: stored,
        duplicate,
        delivery: { delivered: 2, pending: 0 },
      };
    },
    editMessage: (path, request) => this.edit(path["messageId"] ?? "", request["content"] as string),
    deleteMessage: (path) => this.remove(path["messageId"] ?? ""),
  };

  readonly api: Api = {
    call: async <K extends Operation>(operation: K, path: PathParameters<K>, request: Operations[K]["request"]) => {
      this.calls.push({ operation, path, request: request as Record<string, unknown> });
      this.running += 1;
      try {
        await tick();
        const fault = this.fault(operation);
        if (fault === "before") {
          throw new ApiError(0, "NETWORK", "The backend could not be reached.");
        }
        const handler = this.handlers[operation];
        if (!handler) {
          throw new ApiError(404, "NOT_FOUND", `${operation} is not part of this test.`);
        }
        const answer = structuredClone(handler(path, request as Record<string, unknown>));
        await tick();
        if (fault === "after") {
          throw new ApiError(0, "NETWORK", "The response was lost.");
        }
        return { ...answer, success: true } as Operations[K]["response"];
      } finally {
        this.running -= 1;
      }
    },
  };

  callsOf(operation: Operation): Record<string, unknown>[] {
    return this.calls.filter((call) => call.operation === operation).map((call) => call.request);
  }
}

/** A realtime connection whose states and events come from the test. */
export class FakeRealtime implements Realtime {
  private listener: RealtimeListener | null = null;
  reconnects = 0;

  start(listener: RealtimeListener): void {
    this.listener = listener;
  }

  reconnect(): void {
    this.reconnects += 1;
  }

  stop(): Promise<void> {
    this.listener = null;
    return Promise.resolve();
  }

  setConnection(connection: Connection): void {
    this.listener?.onConnection(connection);
  }

  deliver(...events: unknown[]): void {
    for (const one of events) {
      this.listener?.onEvent(structuredClone(one));
    }
  }
}

/** A clock that advances at once when it is awaited. */
export class InstantClock implements Clock {
  time = Date.UTC(2026, 5, 1);
  private ids = 0;

  now(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.time += ms;
    await tick();
  }

  newId(): string {
    this.ids += 1;
    return `temp-${this.ids}`;
  }
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Wait until no request is running. */
export async function settled(backend: FakeBackend): Promise<void> {
  for (let quiet = 0; quiet < 8; ) {
    await tick();
    quiet = backend.running === 0 ? quiet + 1 : 0;
  }
}
