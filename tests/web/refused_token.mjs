/**
 * The page's HTTP client in Chromium, against an API whose gateway refuses a token without CORS headers.
 *
 *   node refused_token.mjs --browser PATH --client SCRIPT
 *
 * SCRIPT is the bundled client with the global name `client`. Prints one JSON line per step: {"title", "failure"}.
 */

import { deepEqual as equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({ options: { browser: { type: "string" }, client: { type: "string" } } });
const script = readFileSync(options.client, "utf-8");
const requests = [];
const steps = [];
const step = (title, run) => steps.push({ title, run });

const listening = (server) => new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const addressOf = (server) => `http://127.0.0.1:${server.address().port}`;
const site = createServer((_request, response) =>
  response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><script>${script}</script>`)
);
const gateway = createServer((request, response) => {
  const { method, headers } = request;
  const cors = {
    "access-control-allow-origin": headers.origin ?? "",
    "access-control-allow-headers": "authorization,content-type",
    "access-control-allow-methods": "*",
  };
  if (method === "OPTIONS") {
    response.writeHead(204, cors).end();
    return;
  }
  const token = (headers.authorization ?? "").replace("Bearer ", "");
  requests.push([method, token]);
  if (token === "accepted") {
    response.writeHead(200, { ...cors, "content-type": "application/json" }).end('{"success":true}');
  } else {
    response.writeHead(401, { "content-type": "application/json" }).end('{"message":"Unauthorized"}');
  }
});
await Promise.all([listening(site), listening(gateway)]);
const chrome = await chromium.launch({ executablePath: options.browser, args: ["--no-sandbox", "--disable-gpu"] });
const page = await chrome.newPage();
await page.goto(addressOf(site));

/** Send a message with the tokens, in their order; returns the outcome and whether the session ended. */
const send = (tokens, url = addressOf(gateway)) => {
  requests.length = 0;
  return page.evaluate(
    async ([api, held]) => {
      let ended = false;
      let used = 0;
      const token = ({ refresh }) => {
        used += refresh ? 1 : 0;
        const error = new client.ApiError(401, "UNAUTHENTICATED", "The session has ended.");
        return held[used] === undefined ? Promise.reject(error) : Promise.resolve(held[used]);
      };
      const http = new client.HttpApi(api, token, () => Promise.resolve(), () => (ended = true));
      const outcome = await http.call("sendMessage", {}, { conversationId: "c", content: "x" }).then(
        () => "sent",
        (error) => error.status
      );
      return { outcome, ended };
    },
    [url, tokens]
  );
};
const posts = () => requests.filter(([method]) => method === "POST").map(([, token]) => token);

step("a refused token is renewed and the message sent", async () => {
  equal(await send(["expired", "accepted"]), { outcome: "sent", ended: false });
  equal(posts(), ["expired", "accepted"]);
});

step("a session that cannot be renewed ends", async () => {
  equal(await send(["expired"]), { outcome: 401, ended: true });
});

step("an unreachable API ends no session", async () => {
  equal(await send(["accepted"], "http://127.0.0.1:1"), { outcome: 0, ended: false });
});

for (const { title, run } of steps) {
  const failure = await run().then(
    () => null,
    (error) => String(error?.stack ?? error)
  );
  console.log(JSON.stringify({ title, failure }));
}
await chrome.close();
site.close();
gateway.close();
