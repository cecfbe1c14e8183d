import assert from "node:assert/strict";
import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ApiError, HttpApi } from "../../web/src/client/api";

interface Seen {
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

/** Run with an API on a real server on this machine, which gives the replies in turn, the last one for ever. */
async function served(
  replies: Reply[],
  run: (api: HttpApi, seen: Seen[], ended: () => number) => Promise<void>
): Promise<void> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, authorization: headers.authorization ?? "", body });
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
    await run(api, seen, () => ended);
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
  throw new assert.AssertionError({ message: "the call did not fail" });
}

test("a read carries the token, its path safely and its query, and leaves out what is null", () =>
  served([OK], async (api, seen) => {
    await api.call("getHistory", { conversationId: "a/b c" }, { limit: 5, before: null, cursor: "x&y=z" });
    assert.deepEqual(seen, [
      {
        method: "GET",
        url: "/base/api/messages/a%2Fb%20c?limit=5&cursor=x%26y%3Dz",
        authorization: "Bearer token-0",
        body: "",
      },
    ]);
  }));

test("a write carries its request as JSON", () =>
  served([OK], async (api, seen) => {
    await api.call("setRole", { conversationId: "c", userId: "u" }, { role: "ADMIN" });
    assert.deepEqual(seen, [
      {
        method: "PUT",
        url: "/base/api/conversations/c/members/u/role",
        authorization: "Bearer token-0",
        body: '{"role":"ADMIN"}',
      },
    ]);
  }));

test("a refused token is renewed once, and the call made again", () =>
  served([{ status: 401, body: "{}" }, OK], async (api, seen, ended) => {
    await api.call("sendMessage", {}, { conversationId: "c", content: "x" });
    assert.deepEqual(
      seen.map(({ authorization }) => authorization),
      ["Bearer token-0", "Bearer token-1"]
    );
    assert.equal(ended(), 0);
  }));

test("a session that the server no longer accepts is reported as ended", () =>
  served([{ status: 401, body: '{"message":"Unauthorized"}' }], async (api, _seen, ended) => {
    const error = await failureOf(api.call("getMe", {}, {}));
    assert.deepEqual([error.status, ended()], [401, 1]);
  }));

test("a refusal arrives with its code, its words, its field and its waiting time", () => {
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

test("a read that got no proper answer is repeated", () =>
  served([{ status: 503, body: "" }, { status: 200, body: "cut off {" }, OK], async (api, seen) => {
    await api.call("searchUsers", {}, { q: "gr" });
    assert.equal(seen.length, 3);
  }));

test("a write that got no proper answer is not repeated behind the caller's back, and says that it may have happened", () =>
  served([{ status: 503, body: "" }], async (api, seen) => {
    const error = await failureOf(api.call("sendMessage", {}, { conversationId: "c", content: "x" }));
    assert.deepEqual([seen.length, error.unanswered], [1, true]);
  }));

test("a server that is not there is told apart from one that refuses", async () => {
  const api = new HttpApi(
    "http://127.0.0.1:1",
    () => Promise.resolve("t"),
    () => Promise.resolve(),
    () => undefined
  );
  const error = await failureOf(api.call("sendMessage", {}, { conversationId: "c", content: "x" }));
  assert.deepEqual([error.status, error.unanswered], [0, true]);
});
