import assert from "node:assert/strict";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mock, test } from "node:test";
import { ApiError, HttpApi } from "../../web/src/client/api";

interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

const OK: Reply = { status: 200, body: JSON.stringify({ success: true, users: [] }) };

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
  }
  return text;
}

/** Run with an API on a local server, which sends the replies in order and repeats the last one. */
async function served(
  replies: Reply[],
  run: (api: HttpApi, received: ReceivedRequest[], ended: () => number) => Promise<void>
): Promise<void> {
  const received: ReceivedRequest[] = [];
  const server: Server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "", headers } = request;
      received.push({ method, url, authorization: headers.authorization ?? "", body });
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      response.writeHead(reply?.status ?? 500, reply?.headers).end(reply?.body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  let tokens = 0;
  let ended = 0;
  const token = ({ refresh }: { refresh: boolean }): Promise<string> => {
    tokens += refresh ? 1 : 0;
    return Promise.resolve(`token-${tokens}`);
  };
  const api = new HttpApi(
    `http://127.0.0.1:${port}/base`,
    token,
    () => Promise.resolve(),
    () => (ended += 1)
  );
  try {
    await run(api, received, () => ended);
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return error;
  }
  throw new assert.AssertionError({ message: "the request did not fail" });
}

test("a read has the token, a quoted path and the query without null values", () =>
  served([OK], async (api, received) => {
    await api.call("getHistory", { conversationId: "a/b c" }, { limit: 5, before: null, cursor: "x&y=z" });
    assert.deepEqual(received, [
      {
        method: "GET",
        url: "/base/api/messages/a%2Fb%20c?limit=5&cursor=x%26y%3Dz",
        authorization: "Bearer token-0",
        body: "",
      },
    ]);
  }));

test("a write has its request as JSON", () =>
  served([OK], async (api, received) => {
    await api.call("setRole", { conversationId: "c", userId: "u" }, { role: "ADMIN" });
    assert.deepEqual(received, [
      {
        method: "PUT",
        url: "/base/api/conversations/c/members/u/role",
        authorization: "Bearer token-0",
        body: '{"role":"ADMIN"}',
      },
    ]);
  }));

test("a refused token is renewed once, and the request repeated", () =>
  served([{ status: 401, body: "{}" }, OK], async (api, received, ended) => {
    await api.call("sendMessage", {}, { conversationId: "c", content: "x" });
    assert.deepEqual(
      received.map(({ authorization }) => authorization),
      ["Bearer token-0", "Bearer token-1"]
    );
    assert.equal(ended(), 0);
  }));

test("a session that the server does not accept any more is reported as ended", () =>
  served([{ status: 401, body: '{"message":"Unauthorized"}' }], async (api, _received, ended) => {
    const error = await failureOf(api.call("getMe", {}, {}));
    assert.deepEqual([error.status, ended()], [401, 1]);
  }));

test("an error has its code, message, field and retry time", () => {
  const body = JSON.stringify({
    success: false,
    error: { code: "TOO_MANY_REQUESTS", message: "Too many messages.", field: "content" },
  });
  return served([{ status: 429, body, headers: { "retry-after": "7" } }], async (api) => {
    const error = await failureOf(api.call("sendMessage", {}, { conversationId: "c" }));
    assert.deepEqual(
      [error.status, error.code, error.message, error.field, error.retryAfter, error.unanswered],
      [429, "TOO_MANY_REQUESTS", "Too many messages.", "content", 7, false]
    );
  });
});

test("a read without a valid response is repeated", () =>
  served([{ status: 503, body: "" }, { status: 200, body: "cut off {" }, OK], async (api, received) => {
    await api.call("searchUsers", {}, { q: "gr" });
    assert.equal(received.length, 3);
  }));

test("a write without a valid response is not repeated, and its error shows that it may have taken effect", () =>
  served([{ status: 503, body: "" }], async (api, received) => {
    const error = await failureOf(api.call("sendMessage", {}, { conversationId: "c", content: "x" }));
    assert.deepEqual([received.length, error.unanswered], [1, true]);
  }));

test("an unreachable server is distinguished from one that refuses", async () => {
  const api = new HttpApi(
    "http://127.0.0.1:1",
    () => Promise.resolve("t"),
    () => Promise.resolve(),
    () => undefined
  );
  const error = await failureOf(api.call("sendMessage", {}, { conversationId: "c", content: "x" }));
  assert.deepEqual([error.status, error.unanswered], [0, true]);
});

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly token: string | null;
  readonly mode: string;
}

/**
 * Run with a `fetch` as browsers have it: a response without CORS headers fails like the network, except for a
 * request in the mode `no-cors`. The API accepts the tokens of `accepted`.
 */
async function inBrowser(
  api: { accepted: readonly string[]; up?: boolean; lose?: number; tokens?: readonly string[] },
  run: (http: HttpApi, sent: Sent[], ended: () => number) => Promise<void>
): Promise<void> {
  const { accepted, up = true, tokens = ["token-0", "token-1"] } = api;
  const sent: Sent[] = [];
  let lose = api.lose ?? 0;
  let renewals = 0;
  let ended = 0;
  const fake = mock.method(globalThis, "fetch", async (url: URL | string, options: RequestInit = {}) => {
    const token = new Headers(options.headers).get("authorization")?.replace("Bearer ", "") ?? null;
    const { method = "GET", mode = "cors" } = options;
    sent.push({ method, url: new URL(url).pathname, token, mode });
    lose -= 1;
    if (!up || lose >= 0 || (mode === "cors" && !accepted.includes(token ?? ""))) {
      throw new TypeError("Failed to fetch");
    }
    return Promise.resolve(new Response(OK.body));
  });
  const token = ({ refresh }: { refresh: boolean }): Promise<string> => {
    renewals += refresh ? 1 : 0;
    const found = tokens[renewals];
    return found === undefined
      ? Promise.reject(new ApiError(401, "UNAUTHENTICATED", "The session has ended."))
      : Promise.resolve(found);
  };
  const http = new HttpApi(
    "https://api.example",
    token,
    () => Promise.resolve(),
    () => (ended += 1)
  );
  try {
    await run(http, sent, () => ended);
  } finally {
    fake.mock.restore();
  }
}

const WRITE = { conversationId: "c", content: "x" };
const posts = (sent: readonly Sent[]): (string | null)[] =>
  sent.filter(({ method }) => method === "POST").map(({ token }) => token);

test("a token whose refusal the browser hides is renewed once, and the request repeated", () =>
  inBrowser({ accepted: ["token-1"] }, async (api, sent, ended) => {
    await api.call("sendMessage", {}, WRITE);
    assert.deepEqual([posts(sent), ended()], [["token-0", "token-1"], 0]);
  }));

test("concurrent requests with a hidden refusal share one renewal", () =>
  inBrowser({ accepted: ["token-1"] }, async (api, sent) => {
    await Promise.all([1, 2, 3].map(() => api.call("sendMessage", {}, WRITE)));
    assert.deepEqual(posts(sent), [...Array<string>(3).fill("token-0"), ...Array<string>(3).fill("token-1")]);
  }));

test("a hidden refusal of a session that cannot be renewed ends the session", () =>
  inBrowser({ accepted: [], tokens: ["token-0"] }, async (api, sent, ended) => {
    const error = await failureOf(api.call("sendMessage", {}, WRITE));
    assert.deepEqual([error.status, ended(), posts(sent)], [401, 1, ["token-0"]]);
  }));

test("a lost response is no refusal: the write is not repeated, the token not renewed", () =>
  inBrowser({ accepted: ["token-0"], lose: 1 }, async (api, sent, ended) => {
    const error = await failureOf(api.call("sendMessage", {}, WRITE));
    assert.deepEqual([error.unanswered, posts(sent), ended()], [true, ["token-0"], 0]);
  }));

test("without a network no token is renewed and no session ended", () =>
  inBrowser({ accepted: ["token-0"], up: false }, async (api, sent, ended) => {
    const error = await failureOf(api.call("getMe", {}, {}));
    assert.deepEqual([error.status, ended()], [0, 0]);
    assert.ok(sent.every(({ token }) => token === null || token === "token-0"));
  }));
