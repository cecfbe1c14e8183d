/** The realtime connection: exactly two subscriptions, and whether the server has acknowledged both. */

import { CONNECTION_STATE_CHANGE, ConnectionState, events } from "aws-amplify/api";
import { Hub } from "aws-amplify/utils";
import type { Clock } from "./clock";
import type { Connection } from "./state/state";

export interface RealtimeListener {
  /** A parsed event; the listener validates it. */
  onEvent(event: unknown): void;
  onConnection(connection: Connection): void;
}

export interface Realtime {
  start(listener: RealtimeListener): void;
  /** Reconnect now instead of at the next scheduled attempt. */
  reconnect(): void;
  stop(): Promise<void>;
}

const SUBSCRIPTION_ACK = "Subscription ack";
const RECONNECT_EVERY_MS = 8_000;
const RESUBSCRIBE_FIRST_MS = 2_000;
const RESUBSCRIBE_LAST_MS = 30_000;

/** The states in which the socket and its subscriptions are lost. */
const LOST: ReadonlySet<ConnectionState> = new Set([
  ConnectionState.ConnectionDisrupted,
  ConnectionState.ConnectionDisruptedPendingNetwork,
  ConnectionState.Disconnected,
]);

interface Subscribed {
  close(): void;
}

/** Amplify's Events client on `/chats/{me}` and `/users/{me}`. */
export class AmplifyRealtime implements Realtime {
  private readonly channels: readonly string[];
  private readonly acknowledged = new Set<string>();
  private readonly open = new Map<string, Subscribed>();
  private listener: RealtimeListener | null = null;
  private socket: ConnectionState = ConnectionState.Disconnected;
  private refused = false;
  private wasConnected = false;
  private stopListening: () => void = () => undefined;
  private reconnectTimer: ReturnType<typeof setInterval> | null = null;

  constructor(me: string, private readonly clock: Clock) {
    this.channels = [`/chats/${me}`, `/users/${me}`];
  }

  start(listener: RealtimeListener): void {
    this.listener = listener;
    this.stopListening = Hub.listen("api", ({ payload }) => this.onHub(payload.event, payload.data));
    this.reconnectTimer = setInterval(() => {
      if (this.socket === ConnectionState.ConnectionDisrupted) {
        this.reconnect();
      }
    }, RECONNECT_EVERY_MS);
    this.report();
    for (const channel of this.channels) {
      void this.keepSubscribed(channel);
    }
  }

  /**
   * Amplify reconnects after 5 s and then only once a minute. The browser's `online` event makes it reconnect at once,
   * so it is dispatched here.
   */
  reconnect(): void {
    if (navigator.onLine && LOST.has(this.socket)) {
      window.dispatchEvent(new Event("offline"));
      window.dispatchEvent(new Event("online"));
    }
  }

  async stop(): Promise<void> {
    this.listener = null;
    this.stopListening();
    if (this.reconnectTimer !== null) {
      clearInterval(this.reconnectTimer);
    }
    for (const subscribed of this.open.values()) {
      subscribed.close();
    }
    this.open.clear();
    await Promise.resolve();
  }

  private onHub(name: string, data: unknown): void {
    if (name === SUBSCRIPTION_ACK) {
      const channel = (data as { query?: string }).query ?? "";
      if (this.channels.includes(channel)) {
        this.acknowledged.add(channel);
      }
    } else if (name === CONNECTION_STATE_CHANGE) {
      this.socket = (data as { connectionState: ConnectionState }).connectionState;
      // `Connecting` does not mean a lost socket: Amplify reports it for each subscription on an open socket, too.
      if (LOST.has(this.socket)) {
        this.acknowledged.clear();
      }
    } else {
      return;
    }
    this.report();
  }

  /** Subscribe, and again after a growing pause when the subscription ends: Amplify does not retry a refusal. */
  private async keepSubscribed(channel: string): Promise<void> {
    for (let pause = RESUBSCRIBE_FIRST_MS; this.listener !== null; pause = Math.min(pause * 2, RESUBSCRIBE_LAST_MS)) {
      if (await this.subscribe(channel)) {
        pause = RESUBSCRIBE_FIRST_MS;
      }
      await this.clock.sleep(pause);
    }
  }

  /** Subscribe and wait until the subscription ends; returns whether it was ever acknowledged. */
  private async subscribe(channel: string): Promise<boolean> {
    let connected: Awaited<ReturnType<typeof events.connect>>;
    try {
      connected = await events.connect(channel);
    } catch {
      return false;
    }
    if (this.listener === null) {
      connected.close();
      return false;
    }
    let succeeded = false;
    await new Promise<void>((ended) => {
      const subscription = connected.subscribe({
        next: (frame: { event: unknown }) => this.listener?.onEvent(frame.event),
        error: () => ended(),
      });
      subscription.ready.then(
        () => {
          succeeded = true;
          this.refused = false;
          this.report();
        },
        (reason: unknown) => {
          this.refused = /Unauthorized|BadRequest/.test(String((reason as Error | null)?.message));
          this.report();
        }
      );
      this.open.set(channel, {
        close: () => {
          connected.close();
          ended();
        },
      });
    });
    this.open.delete(channel);
    this.acknowledged.delete(channel);
    this.report();
    return succeeded;
  }

  private report(): void {
    const connection = this.connection();
    this.wasConnected ||= connection === "connected";
    this.listener?.onConnection(connection);
  }

  private connection(): Connection {
    if (!navigator.onLine) {
      return "offline";
    }
    if (this.refused) {
      return "refused";
    }
    if (this.channels.every((channel) => this.acknowledged.has(channel))) {
      return "connected";
    }
    return this.wasConnected ? "reconnecting" : "connecting";
  }
}
