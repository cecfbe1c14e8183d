/** Announces that the user types, at most every two seconds, and that the user stopped, after a pause. */

import type { Api } from "./api";

/** Less than the three seconds after which a notice expires. */
export const TYPING_EVERY_MS = 2_000;
export const TYPING_PAUSE_MS = 3_000;

export class TypingNotices {
  private conversationId: string | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private pauseTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly api: Api) {}

  /** The user typed something. */
  typed(conversationId: string, now: number): void {
    if (this.conversationId !== null && this.conversationId !== conversationId) {
      this.stopped();
    }
    if (this.conversationId === null || now - this.sentAt >= TYPING_EVERY_MS) {
      this.conversationId = conversationId;
      this.sentAt = now;
      this.announce(conversationId, true);
    }
    this.clearPauseTimer();
    this.pauseTimer = setTimeout(() => this.stopped(), TYPING_PAUSE_MS);
  }

  /** The user paused, left the field, or opened another conversation. */
  stopped(): void {
    if (this.conversationId !== null) {
      this.announce(this.conversationId, false);
    }
    this.reset();
  }

  /** The message was sent, which ends the notice without an announcement. */
  reset(): void {
    this.clearPauseTimer();
    this.conversationId = null;
    this.sentAt = Number.NEGATIVE_INFINITY;
  }

  private clearPauseTimer(): void {
    if (this.pauseTimer !== null) {
      clearTimeout(this.pauseTimer);
      this.pauseTimer = null;
    }
  }

  private announce(conversationId: string, isTyping: boolean): void {
    // The user need not be notified of a lost announcement.
    this.api.call("setTyping", {}, { conversationId, isTyping }).catch(() => undefined);
  }
}
