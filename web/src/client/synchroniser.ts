/**
 * Keeps the state equal to the server: applies events, reads the list, and reads what is missing.
 *
 * The order guarantees that nothing is missed: the subscriptions are acknowledged first, then the list is read, then
 * what the list shows to be missing; events that arrive meanwhile are merged by their sequence numbers.
 */

import { type ChannelEvent, type ConversationPage, type HistoryPage, type PublicUser, limits } from "../contract";
import { type Api, ApiError } from "./api";
import type { Clock } from "./clock";
import { gapOf, rowIsBehind } from "./state/reducer";
import { unnamed } from "./state/selectors";
import { type Connection, TYPING_EXPIRY_MS } from "./state/state";
import type { Store } from "./state/store";

const RECOVERY_PAUSES_MS = [1_000, 3_000, 10_000] as const;
const CONCURRENT_NAME_REQUESTS = 5;

/** Pauses before the checks of completeness while connected. */
export function* checkPausesMs(): Generator<number, void> {
  yield limits.CHECK_FIRST_MS;
  for (;;) {
    yield limits.CHECK_INTERVAL_MS;
  }
}

export class Synchroniser {
  private readonly running = new Set<string>();
  private readonly requestedNames = new Set<string>();
  private stopped = false;
  private syncing: Promise<void> | null = null;
  private syncAgain = false;
  private connections = 0;

  constructor(
    private readonly api: Api,
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly pauses: () => Iterable<number> = checkPausesMs
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /** Apply an event of a channel; a malformed one is ignored. */
  receive(event: unknown): void {
    if (!isEvent(event)) {
      return;
    }
    const at = this.clock.now();
    this.store.dispatch({ type: "event", event, at });
    if (event.type === "USER_TYPING") {
      void this.clock
        .sleep(TYPING_EXPIRY_MS + 50)
        .then(() => this.store.dispatch({ type: "tick", now: this.clock.now() }));
    }
    this.fillMissing();
  }

  /** Take the state of the realtime connection; a new one starts a synchronisation. Returns whether it is new. */
  connected(connection: Connection): boolean {
    if (this.store.state.connection === connection) {
      return false;
    }
    this.store.dispatch({ type: "connection", connection });
    this.connections += 1;
    if (connection === "connected") {
      void this.sync();
      void this.check(this.connections);
    }
    return connection === "connected";
  }

  /** Read everything that may have changed without an event. Calls during a run start one more run. */
  sync(): Promise<void> {
    this.syncAgain = true;
    this.syncing ??= this.runSync().finally(() => {
      this.syncing = null;
    });
    return this.syncing;
  }

  /** Synchronise again and again while this connection lasts. */
  private async check(connection: number): Promise<void> {
    for (const pause of this.pauses()) {
      await this.clock.sleep(pause);
      if (this.stopped || this.connections !== connection) {
        return;
      }
      await this.sync();
    }
  }

  private async runSync(): Promise<void> {
    while (this.syncAgain && !this.stopped) {
      this.syncAgain = false;
      const steps = [this.readList(), this.readProfile(), this.readBlocks()];
      const { selected, threads } = this.store.state;
      if (selected !== null) {
        steps.push(this.readConversation(selected));
        if (!threads[selected]) {
          steps.push(this.loadNewest(selected));
        }
      }
      // The next run repeats what failed, so the user need not be notified.
      await Promise.allSettled(steps);
      this.fillMissing();
    }
  }

  private async readList(): Promise<void> {
    const since = this.store.state.clock;
    const held = Object.keys(this.store.state.rows).length;
    let page = await this.api.call("listConversations", {}, {});
    const conversations = [...page.conversations];
    while (page.nextCursor !== null && conversations.length < held) {
      page = await this.api.call("listConversations", {}, { cursor: page.nextCursor });
      conversations.push(...page.conversations);
    }
    this.dispatchList({ ...page, conversations }, since, true);
  }

  /** Read the next page of the list. */
  async loadMoreConversations(): Promise<void> {
    const { listCursor, clock } = this.store.state;
    if (listCursor !== null) {
      this.dispatchList(await this.api.call("listConversations", {}, { cursor: listCursor }), clock, false);
    }
  }

  private dispatchList(page: ConversationPage, since: number, complete: boolean): void {
    this.store.dispatch({ type: "list", page, since, complete });
  }

  private async readProfile(): Promise<void> {
    const { user } = await this.api.call("getMe", {}, {});
    this.store.dispatch({ type: "profile", profile: user });
  }

  private async readBlocks(): Promise<void> {
    this.store.dispatch({ type: "blocks", page: await this.api.call("listBlocks", {}, {}) });
  }

  /** Read one conversation with its members; remove it if the user is not a participant. */
  async readConversation(conversationId: string): Promise<void> {
    const since = this.store.state.clock;
    try {
      const answer = await this.api.call("getConversation", { conversationId }, {});
      this.store.dispatch({ type: "conversation", answer, since });
    } catch (error) {
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) {
        this.store.dispatch({ type: "gone", conversationId });
        return;
      }
      throw error;
    }
  }

  /** Read what the state shows to be missing. */
  fillMissing(): void {
    if (this.stopped) {
      return;
    }
    const { unknown, selected } = this.store.state;
    for (const conversationId of unknown) {
      this.once(`read ${conversationId}`, () => this.readConversation(conversationId)).catch(() => undefined);
    }
    if (selected !== null && gapOf(this.store.state, selected) !== null) {
      void this.once(`recover ${selected}`, () => this.recover(selected));
    }
    for (const conversationId of Object.keys(this.store.state.ahead)) {
      if (this.isBehind(conversationId)) {
        void this.once(`catch up ${conversationId}`, () => this.catchUp(conversationId));
      }
    }
    void this.readNames();
  }

  /** Whether the list shows too little of a conversation, and no gap of the open conversation explains it. */
  private isBehind(conversationId: string): boolean {
    const { selected } = this.store.state;
    const isOpen = conversationId === selected && gapOf(this.store.state, selected) !== null;
    return !isOpen && rowIsBehind(this.store.state, conversationId);
  }

  /** Read a conversation of the list whose events are incomplete, until it is complete. */
  private async catchUp(conversationId: string): Promise<void> {
    await this.clock.sleep(limits.GAP_SETTLE_MS);
    for (let failures = 0; !this.stopped && this.isBehind(conversationId); failures += 1) {
      await this.readConversation(conversationId).catch(() => undefined);
      if (this.isBehind(conversationId)) {
        await this.clock.sleep(pauseAfter(failures + 1));
      }
    }
  }

  private async once(key: string, run: () => Promise<void>): Promise<void> {
    if (this.running.has(key)) {
      return;
    }
    this.running.add(key);
    try {
      await run();
    } finally {
      this.running.delete(key);
    }
  }

  /** Fill the gaps of a conversation until none is left; pauses grow while the server does not fill them. */
  private async recover(conversationId: string): Promise<void> {
    await this.clock.sleep(limits.GAP_SETTLE_MS);
    for (let failures = 0; !this.stopped; ) {
      const gap = gapOf(this.store.state, conversationId);
      if (gap === null) {
        return;
      }
      try {
        const { afterSeq, afterChange } = gap;
        const page = await this.api.call("getHistory", { conversationId }, { afterSeq, afterChange });
        if (page.reload) {
          await this.loadNewest(conversationId);
          await this.readConversation(conversationId);
        } else {
          this.store.dispatch({ type: "history", kind: "gap", page });
        }
      } catch (error) {
        if (error instanceof ApiError && (error.status === 403 || error.status === 404)) {
          this.store.dispatch({ type: "gone", conversationId });
          return;
        }
      }
      const left = gapOf(this.store.state, conversationId);
      failures = left && left.afterSeq === gap.afterSeq && left.afterChange === gap.afterChange ? failures + 1 : 0;
      if (failures > 0) {
        await this.clock.sleep(pauseAfter(failures));
      }
    }
  }

  private async readNames(): Promise<void> {
    const missing = unnamed(this.store.state).filter((userId) => !this.requestedNames.has(userId));
    for (let start = 0; start < missing.length; start += CONCURRENT_NAME_REQUESTS) {
      const batch = missing.slice(start, start + CONCURRENT_NAME_REQUESTS);
      batch.forEach((userId) => this.requestedNames.add(userId));
      const users: PublicUser[] = [];
      await Promise.all(
        batch.map((userId) =>
          this.api.call("getUser", { userId }, {}).then(
            ({ user }) => users.push(user),
            () => this.requestedNames.delete(userId)
          )
        )
      );
      if (users.length > 0) {
        this.store.dispatch({ type: "people", users });
      }
    }
  }

  /** Read the newest page of a conversation, unless it is being read. */
  loadNewest(conversationId: string): Promise<void> {
    return this.once(`newest ${conversationId}`, async () => {
      const page = await this.api.call("getHistory", { conversationId }, {});
      const visible = await this.skipHidden(conversationId, page);
      const { latestSeq, latestChange } = page;
      this.store.dispatch({ type: "history", kind: "newest", page: { ...visible, latestSeq, latestChange } });
    });
  }

  /** Read on from a page whose messages are all hidden from the user; the service examines a limited number at once. */
  private async skipHidden(conversationId: string, page: HistoryPage): Promise<HistoryPage> {
    let read = page;
    while (read.messages.length === 0 && read.nextCursor !== null && !this.stopped) {
      read = await this.api.call("getHistory", { conversationId }, { cursor: read.nextCursor });
    }
    return read;
  }

  /** Read the page before the oldest loaded message. */
  async loadOlder(conversationId: string): Promise<void> {
    const cursor = this.store.state.threads[conversationId]?.olderCursor ?? null;
    if (cursor === null) {
      return;
    }
    await this.once(`older ${conversationId}`, async () => {
      const page = await this.api.call("getHistory", { conversationId }, { cursor });
      const visible = await this.skipHidden(conversationId, page);
      const latestChange = page.latestChange;
      this.store.dispatch({ type: "history", kind: "older", page: { ...visible, latestChange } });
    });
    this.fillMissing();
  }
}

function pauseAfter(failures: number): number {
  return RECOVERY_PAUSES_MS[Math.min(failures, RECOVERY_PAUSES_MS.length) - 1] ?? 0;
}

function isEvent(value: unknown): value is ChannelEvent {
  const event = value as Partial<ChannelEvent> | null;
  return typeof event?.type === "string" && typeof event.eventId === "string" && typeof event.data === "object";
}
