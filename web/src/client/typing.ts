/** Tells the others that the user is typing: at most every two seconds, and that it stopped after a rest. */

import type { Api } from "./api";

/** Below the three seconds after which a notice expires. */
export const TYPING_EVERY_MS = 2_000;
export const TYPING_REST_MS = 3_000;

export class TypingNotices {
  private conversationId: string | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private rest: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly api: Api) {}

  /** The user typed something. */
  typed(conversationId: string, now: number): void {
    if (this.conversationId !== null && this.conversationId !== conversationId) {
      this.stopped();
    }
    if (this.conversationId === null || now - this.sentAt >= TYPING_EVERY_MS) {
      this.conversationId = conversationId;
      this.sentAt = now;
      this.tell(conversationId, true);
    }
    this.clearRest();
    this.rest = setTimeout(() => this.stopped(), TYPING_REST_MS);
  }

  /** The user rests, left the field, or went to another conversation. */
  stopped(): void {
    if (this.conversationId !== null) {
      this.tell(this.conversationId, false);
    }
    this.reset();
  }

  /** The message was sent, which ends the notice by itself. */
  reset(): void {
    this.clearRest();
    this.conversationId = null;
    this.sentAt = Number.NEGATIVE_INFINITY;
  }

  private clearRest(): void {
    if (this.rest !== null) {
      clearTimeout(this.rest);
      this.rest = null;
    }
  }

  private tell(conversationId: string, isTyping: boolean): void {
    // A notice that is lost is not worth a word to the user.
    this.api.call("setTyping", {}, { conversationId, isTyping }).catch(() => undefined);
  }
}
