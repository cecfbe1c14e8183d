/** The HTTP API: typed requests for every route of the contract. */

import { type Failure, type Operation, type Operations, routes } from "../contract";

/** A failed request. `message` is the text for the user; `status` is 0 without a response. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    /** Seconds to wait, from the response. */
    readonly retryAfter: number | null = null
  ) {
    super(message);
  }

  /** Whether the request may have taken effect: there was no response, or the server failed. */
  get unanswered(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** There was no response that the browser lets the page read. */
class UnreadableError extends ApiError {}

type PathNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never;
export type PathParameters<K extends Operation> = Record<PathNames<(typeof routes)[K]["path"]>, string>;

export interface Api {
  call<K extends Operation>(
    operation: K,
    path: PathParameters<K>,
    request: Operations[K]["request"]
  ): Promise<Operations[K]["response"]>;
}

/** The source of access tokens; `refresh` requests a new one although the old one has not expired. */
export type AccessToken = (options: { readonly refresh: boolean }) => Promise<string>;

const TIMEOUT_MS = 15_000;
const READ_ATTEMPTS = 3;

/** The API over `fetch`, with the access token in every request. Reads are retried, writes are not. */
export class HttpApi implements Api {
  private renewing: Promise<string> | null = null;

  constructor(
    private readonly baseUrl: string,
    private readonly accessToken: AccessToken,
    private readonly sleep: (ms: number) => Promise<void>,
    /** Called when the server does not accept the session any more. */
    private readonly onEnded: () => void
  ) {}

  async call<K extends Operation>(
    operation: K,
    path: PathParameters<K>,
    request: Operations[K]["request"]
  ): Promise<Operations[K]["response"]> {
    const attempts = routes[operation].method === "GET" ? READ_ATTEMPTS : 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(operation, path, request);
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) {
          this.onEnded();
        }
        if (!(error instanceof ApiError) || !error.unanswered || attempt >= attempts) {
          throw error;
        }
        await this.sleep(250 * 2 ** attempt * (0.5 + Math.random()));
      }
    }
  }

  private async once<K extends Operation>(
    operation: K,
    path: PathParameters<K>,
    request: Operations[K]["request"]
  ): Promise<Operations[K]["response"]> {
    const token = await this.accessToken({ refresh: false });
    let response: Response;
    try {
      response = await this.send(operation, path, request, token);
    } catch (error) {
      if (!(error instanceof UnreadableError) || !(await this.refuses(token))) {
        throw error;
      }
      response = await this.send(operation, path, request, await this.renewed(token));
    }
    if (response.status === 401) {
      // The token may be revoked, or of a user pool that was created again: retry once with a new token.
      response = await this.send(operation, path, request, await this.renewed(token));
    }
    if (!response.ok) {
      throw await failure(response);
    }
    try {
      return (await response.json()) as Operations[K]["response"];
    } catch {
      throw new ApiError(0, "NETWORK", "The response of the server was incomplete.");
    }
  }

  /**
   * Whether the API refuses a token, found out after an unreadable failure.
   *
   * The gateway's refusals have no CORS headers, so a browser shows them as a failure of the network. A request that
   * was refused had no effect and may be repeated; a request whose response was lost may have had one. A read with
   * the same token distinguishes them: the server is reachable (a request without CORS), and yet that read fails.
   */
  private async refuses(token: string): Promise<boolean> {
    const url = this.baseUrl + routes.getMe.path;
    const responds = async (options: RequestInit): Promise<boolean> => {
      try {
        await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
        return true;
      } catch {
        return false;
      }
    };
    const isRead = await responds({ headers: { authorization: `Bearer ${token}` } });
    return !isRead && (await responds({ mode: "no-cors" }));
  }

  /** Return a token other than the refused one; concurrent requests share one renewal. */
  private async renewed(refused: string): Promise<string> {
    const current = await this.accessToken({ refresh: false });
    if (current !== refused) {
      return current;
    }
    this.renewing ??= this.accessToken({ refresh: true }).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async send(
    operation: Operation,
    path: Record<string, string>,
    request: object,
    token: string
  ): Promise<Response> {
    const route = routes[operation];
    const url = new URL(
      this.baseUrl + route.path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(path[name] ?? ""))
    );
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    let body: string | null = null;
    if (route.query) {
      for (const [name, value] of Object.entries(request)) {
        if (value !== undefined && value !== null) {
          url.searchParams.set(name, String(value));
        }
      }
    } else {
      headers["content-type"] = "application/json";
      body = JSON.stringify(request);
    }
    try {
      return await fetch(url, { method: route.method, headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      const Kind = (error as Error).name === "TimeoutError" ? ApiError : UnreadableError;
      throw new Kind(0, "NETWORK", "The server could not be reached.");
    }
  }
}

async function failure(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("retry-after")) || null;
  try {
    const { error } = (await response.json()) as Failure;
    return new ApiError(response.status, error.code, error.message, error.field, retryAfter);
  } catch {
    const message =
      response.status === 401
        ? "The session has ended. Sign in again."
        : response.status === 429
        ? "Too many requests. Wait a moment and try again."
        : `The server responded with status ${response.status}.`;
    return new ApiError(response.status, "UNKNOWN", message, null, retryAfter);
  }
}
