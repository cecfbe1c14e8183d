/** Sends messages in the order written. Every attempt has the same `tempId`, so a message is stored once. */

import { type Api, ApiError } from "./api";
import type { Clock } from "./clock";
import type { Outgoing } from "./state/state";
import type { Store } from "./state/store";

/** Pauses before the automatic retries. */
const PAUSES_MS = [500, 2_000] as const;
const LONGEST_WAIT_S = 10;

export class Outbox {
  private readonly queues = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(private readonly api: Api, private readonly store: Store, private readonly clock: Clock) {}

  /** Show a message at once, and send it after the earlier ones of the same conversation. */
  send(conversationId: string, content: string, replyTo: string | null): Promise<void> {
    const tempId = this.clock.newId();
    const createdAt = new Date(this.clock.now()).toISOString();
    this.store.dispatch({ type: "sending", conversationId, tempId, content, replyTo, createdAt });
    return this.enqueue(conversationId, tempId);
  }

  /** Send a failed message again. */
  retry(tempId: string): Promise<void> {
    const message = this.find(tempId);
    if (message?.status !== "failed") {
      return Promise.resolve();
    }
    this.store.dispatch({ type: "resending", tempId });
    return this.enqueue(message.conversationId, tempId);
  }

  /** Send the messages without a response again: they may be stored, and only the server knows. */
  async retryUnanswered(): Promise<void> {
    const unanswered = this.store.state.outgoing.filter((message) => message.status === "failed" && message.unanswered);
    await Promise.all(unanswered.map((message) => this.retry(message.tempId)));
  }

  stop(): void {
    this.stopped = true;
  }

  private enqueue(conversationId: string, tempId: string): Promise<void> {
    const turn = (this.queues.get(conversationId) ?? Promise.resolve()).then(() => this.attempt(tempId));
    this.queues.set(conversationId, turn);
    return turn;
  }

  private async attempt(tempId: string): Promise<void> {
    for (let failures = 0; !this.stopped; failures += 1) {
      const message = this.find(tempId);
      if (!message) {
        return;
      }
      try {
        const answer = await this.api.call("sendMessage", {}, this.request(message));
        this.store.dispatch({ type: "sent", tempId, answer });
        return;
      } catch (error) {
        const pause = pauseAfter(error, failures);
        if (pause === null) {
          const unanswered = error instanceof ApiError && error.unanswered;
          this.store.dispatch({ type: "sendFailed", tempId, error: (error as Error).message, unanswered });
          return;
        }
        await this.clock.sleep(pause);
      }
    }
  }

  private find(tempId: string): Outgoing | undefined {
    return this.store.state.outgoing.find((message) => message.tempId === tempId);
  }

  private request({ conversationId, content, tempId, replyTo }: Outgoing) {
    return { conversationId, content, tempId, type: "TEXT" as const, ...(replyTo === null ? {} : { replyTo }) };
  }
}

function pauseAfter(error: unknown, failures: number): number | null {
  const pause = PAUSES_MS[failures];
  if (!(error instanceof ApiError) || pause === undefined) {
    return null;
  }
  if (error.status === 429) {
    const wait = error.retryAfter ?? 1;
    return wait <= LONGEST_WAIT_S ? wait * 1_000 : null;
  }
  return error.unanswered ? pause : null;
}
