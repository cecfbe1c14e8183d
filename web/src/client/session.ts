/** The session of a signed-in user: the user's actions, using the API, the realtime connection and the state. */

import type { GroupAnswer, PublicUser } from "../contract";
import type { Api } from "./api";
import type { Clock } from "./clock";
import { Outbox } from "./outbox";
import type { Realtime } from "./realtime";
import { Store } from "./state/store";
import { Synchroniser, checkPausesMs } from "./synchroniser";
import { TypingNotices } from "./typing";

/** How long to wait for the realtime connection before the list is read without it. */
const FIRST_LIST_AFTER_MS = 1_500;
/** Pause between two requests that mark the messages of one conversation as read. */
const MARK_EVERY_MS = 2_000;

export class Session {
  readonly store: Store;
  private readonly synchroniser: Synchroniser;
  private readonly outbox: Outbox;
  private readonly typing: TypingNotices;
  private readonly marking = new Set<string>();
  /** The newest visible message that is not marked as read on the server, by conversation. */
  private readonly unmarked = new Map<string, number>();
  private stopped = false;

  constructor(
    readonly me: string,
    private readonly api: Api,
    private readonly realtime: Realtime,
    private readonly clock: Clock,
    checkPauses: () => Iterable<number> = checkPausesMs
  ) {
    this.store = new Store(me);
    this.synchroniser = new Synchroniser(api, this.store, clock, checkPauses);
    this.outbox = new Outbox(api, this.store, clock);
    this.typing = new TypingNotices(api);
  }

  async start(): Promise<void> {
    this.realtime.start({
      onEvent: (event) => this.synchroniser.receive(event),
      onConnection: (connection) => {
        if (this.synchroniser.connected(connection)) {
          void this.outbox.retryUnanswered();
        }
      },
    });
    await this.clock.sleep(FIRST_LIST_AFTER_MS);
    if (!this.stopped && !this.store.state.listLoaded) {
      await this.synchroniser.sync();
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.typing.stopped();
    this.outbox.stop();
    this.synchroniser.stop();
    await this.realtime.stop();
  }

  reconnect(): void {
    this.realtime.reconnect();
  }

  /** Open a conversation: show what is loaded, and read it from the server. Throws if it cannot be read. */
  async open(conversationId: string | null): Promise<void> {
    this.typing.stopped();
    this.store.dispatch({ type: "selected", conversationId });
    if (conversationId === null) {
      return;
    }
    const loads = [this.synchroniser.readConversation(conversationId)];
    if (!this.store.state.threads[conversationId]) {
      loads.push(this.synchroniser.loadNewest(conversationId));
    }
    await Promise.all(loads);
    this.synchroniser.fillMissing();
  }

  loadOlder(conversationId: string): Promise<void> {
    return this.synchroniser.loadOlder(conversationId);
  }

  loadMoreConversations(): Promise<void> {
    return this.synchroniser.loadMoreConversations();
  }

  send(conversationId: string, content: string, replyTo: string | null): void {
    this.typing.reset();
    void this.outbox.send(conversationId, content, replyTo).then(() => this.synchroniser.fillMissing());
  }

  retry(tempId: string): void {
    void this.outbox.retry(tempId).then(() => this.synchroniser.fillMissing());
  }

  discard(tempId: string): void {
    this.store.dispatch({ type: "discarded", tempId });
  }

  typed(conversationId: string): void {
    this.typing.typed(conversationId, this.clock.now());
  }

  stoppedTyping(): void {
    this.typing.stopped();
  }

  async edit(conversationId: string, messageId: string, content: string): Promise<void> {
    const answer = await this.api.call("editMessage", { messageId }, { conversationId, content });
    this.store.dispatch({ type: "changed", answer });
    this.synchroniser.fillMissing();
  }

  async remove(conversationId: string, messageId: string): Promise<void> {
    const answer = await this.api.call("deleteMessage", { messageId }, { conversationId });
    this.store.dispatch({ type: "changed", answer });
    this.synchroniser.fillMissing();
  }

  /**
   * The newest message is visible: mark the messages up to the first gap as read. The marks of two seconds are one
   * request.
   */
  async markRead(conversationId: string): Promise<void> {
    const seq = this.unreadUpTo(conversationId);
    if (seq === null) {
      return;
    }
    this.store.dispatch({ type: "read", conversationId, seq });
    this.unmarked.set(conversationId, seq);
    if (this.marking.has(conversationId)) {
      return;
    }
    this.marking.add(conversationId);
    try {
      for (let next = this.unmarked.get(conversationId); next; next = this.unmarked.get(conversationId)) {
        this.unmarked.delete(conversationId);
        await this.api.call("markRead", {}, { conversationId, seq: next });
        await this.clock.sleep(MARK_EVERY_MS);
      }
    } catch {
      // The messages stay unread on the server; the next synchronisation shows that, and they are marked again.
    } finally {
      this.unmarked.delete(conversationId);
      this.marking.delete(conversationId);
    }
  }

  private unreadUpTo(conversationId: string): number | null {
    const seq = this.store.state.threads[conversationId]?.through ?? 0;
    const view = this.store.state.rows[conversationId]?.view;
    return view && !this.stopped && seq > view.lastReadSeq ? seq : null;
  }

  async search(q: string): Promise<readonly PublicUser[]> {
    const { users } = await this.api.call("searchUsers", {}, { q });
    this.store.dispatch({ type: "people", users });
    return users;
  }

  async profileOf(userId: string): Promise<PublicUser> {
    return (await this.api.call("getUser", { userId }, {})).user;
  }

  /** Find or create the direct conversation with another user; returns its id. */
  async findDirect(userId: string): Promise<string> {
    const since = this.store.state.clock;
    const { conversation, otherUser } = await this.api.call("openDirect", {}, { userId });
    this.store.dispatch({ type: "direct", view: conversation, other: otherUser, since });
    return conversation.conversationId;
  }

  /** Create a group; returns its id. A retry with the same `tempId` creates no second group. */
  async createGroup(name: string, memberIds: string[], tempId: string): Promise<string> {
    const { conversation } = await this.api.call("createGroup", {}, { name, memberIds, tempId });
    this.store.dispatch({ type: "group", conversation });
    return conversation.conversationId;
  }

  async renameGroup(conversationId: string, name: string): Promise<void> {
    this.group(await this.api.call("updateGroup", { conversationId }, { name }));
  }

  async addMembers(conversationId: string, userIds: string[]): Promise<void> {
    this.group(await this.api.call("addMembers", { conversationId }, { userIds }));
    await this.synchroniser.readConversation(conversationId);
  }

  async removeMember(conversationId: string, userId: string): Promise<void> {
    this.group(await this.api.call("removeMember", { conversationId, userId }, {}));
  }

  async setRole(conversationId: string, userId: string, role: "ADMIN" | "MEMBER"): Promise<void> {
    this.group(await this.api.call("setRole", { conversationId, userId }, { role }));
  }

  async leave(conversationId: string): Promise<void> {
    await this.api.call("leaveGroup", { conversationId }, {});
    this.store.dispatch({ type: "gone", conversationId });
  }

  async block(userId: string, blocked: boolean): Promise<void> {
    await this.api.call(blocked ? "blockUser" : "unblockUser", { userId }, {});
    this.store.dispatch({ type: "blocked", userId, blocked });
  }

  private group({ conversation }: GroupAnswer): void {
    this.store.dispatch({ type: "group", conversation });
    this.synchroniser.fillMissing();
  }
}
