/**
 * Opens the Events service's status page in Chromium while events are published, and attacks it from another origin.
 *
 *   node status_page.mjs --page URL --publish URL --key KEY --foreign URL --browser PATH --shots FOLDER
 *
 * Prints one JSON line per step: {"title", "failure"} (failure is null where there is none).
 */

import { deepEqual as equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const text = { type: "string" };
const { values: options } = parseArgs({
  options: { page: text, publish: text, key: text, foreign: text, browser: text, shots: text },
});
const WAIT_MS = 15_000;
const steps = [];
const step = (title, run) => steps.push({ title, run });
const chrome = await chromium.launch({
  executablePath: options.browser,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = await chrome.newPage({ viewport: { width: 1200, height: 900 } });
page.setDefaultTimeout(WAIT_MS);
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));

const publish = (channel, event) =>
  fetch(options.publish, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": options.key },
    body: JSON.stringify({ channel, events: [JSON.stringify(event)] }),
  });

step("the page shows new events without a reload and keeps opened details open", async () => {
  await page.goto(options.page);
  await page.locator("summary").click();
  await publish("open/while-watching", { text: "<img src=x onerror=alert(1)>" });
  await page.getByText("/open/while-watching").first().waitFor();
  ok(await page.getByText("<img src=x onerror=alert(1)>").isVisible(), "the payload, as text");
  ok(await page.locator("details").evaluate((details) => details.open), "the metrics stay open");
  equal(await page.locator("#state").textContent(), "live");
});

step("it is readable in dark mode and on a phone", async () => {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(options.shots, `status-${scheme}.png`), fullPage: true });
  }
  const colours = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await colours();
  await page.emulateMedia({ colorScheme: "light" });
  ok((await colours()) !== dark, "different backgrounds");
  await page.setViewportSize({ width: 390, height: 800 });
  equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, "no horizontal scrolling");
});

step("a page of another origin cannot fetch, frame or load it", async () => {
  const foreign = await chrome.newPage();
  await foreign.goto(options.foreign);
  const results = await foreign.evaluate(async (address) => {
    const outcome = (promise) => promise.then(() => "loaded", () => "refused");
    const loaded = (element, attributes) =>
      new Promise((resolve) => {
        Object.assign(element, attributes, { onload: () => resolve("loaded"), onerror: () => resolve("refused") });
        document.body.append(element);
      });
    const frame = document.createElement("iframe");
    await Promise.race([loaded(frame, { src: address }), new Promise((resolve) => setTimeout(resolve, 2000))]);
    return {
      fetch: await outcome(fetch(address)),
      blind: await outcome(fetch(address, { mode: "no-cors" })),
      script: await loaded(document.createElement("script"), { src: `${address}/page.js` }),
    };
  }, options.page);
  equal(results, { fetch: "refused", blind: "refused", script: "refused" });
  const framed = await foreign.frames()[1].evaluate(() => document.body.innerText).catch(() => "");
  ok(!framed.includes("Namespaces"), `the frame shows: ${framed}`);
  await foreign.close();
});

step("no script failed, and the content security policy blocked nothing", async () => equal(errors, []));

step("it shows that the service does not respond", async () => {
  await page.route("**/_status", (route) => route.abort());
  await page.getByText("no response since").waitFor();
  await page.unroute("**/_status");
  await page.getByText("live", { exact: true }).waitFor();
});

try {
  for (const { title, run } of steps) {
    let failure = null;
    try {
      await run();
    } catch (error) {
      failure = error.stack ?? String(error);
      await page.screenshot({ path: join(options.shots, "failure.png") }).catch(() => undefined);
    }
    console.log(JSON.stringify({ title, failure }));
    if (failure !== null) break;
  }
} finally {
  await chrome.close();
}
