/**
 * Drives the page in Chromium as two users, each with an own browser profile.
 *
 *   node page.mjs --url URL --browser PATH --shots DIRECTORY
 *
 * Prints one JSON line per step: {"title", "failure"}; failure is null if the step passed. Each step needs the ones
 * before it: after a failure the rest is not run.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: { url: { type: "string" }, browser: { type: "string" }, shots: { type: "string" } },
});
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const WAIT_MS = 30_000;
const LONG_WAIT_MS = 120_000;
const steps = [];
const step = (title, run) => steps.push({ title, run });

mkdirSync(options.shots, { recursive: true });
const chrome = await chromium.launch({
  executablePath: options.browser,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** Open a browser profile with a page, and record its errors, hosts and subscriptions. */
async function openUser(name) {
  const context = await chrome.newContext({ viewport: DESKTOP, colorScheme: "light" });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const one = {
    name,
    page,
    context,
    errors: [],
    hosts: new Set(),
    subscribed: [],
    sockets: [],
    outage: false,
    unread: 0,
  };
  page.on("pageerror", (error) => one.errors.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:") {
      one.hosts.add(hostname);
    }
  });
  await page.routeWebSocket(/event\/realtime/, (socket) => {
    if (one.outage) {
      socket.close();
      return;
    }
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      if (frame.type === "subscribe") {
        one.subscribed.push(frame.channel);
      }
      server.send(text);
    });
    one.sockets.push(socket);
  });
  return one;
}

async function until(what, check, waitMs = WAIT_MS) {
  const end = Date.now() + waitMs;
  for (;;) {
    if (await check()) {
      return;
    }
    if (Date.now() > end) {
      throw new Error(`timed out after ${waitMs / 1000} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function equal(actual, expected, what) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
  }
}

const connection = ({ page }) => page.locator("[data-connection]").getAttribute("data-connection");
const connected = (one) => until(`${one.name} is connected`, async () => (await connection(one)) === "connected");
const bubbles = ({ page }) => page.locator(".bubble > p:not(.quote)").allInnerTexts();
/** Wait until the page shows exactly these bubbles from the first of them on. */
const shows = (one, texts) =>
  until(`${one.name} sees ${JSON.stringify(texts)}`, async () => {
    const all = await bubbles(one);
    return JSON.stringify(all.slice(all.indexOf(texts[0]))) === JSON.stringify(texts);
  });
const unread = async (one, title) => {
  const badge = row(one, title).locator(".badge");
  return (await badge.count()) === 0 ? 0 : Number.parseInt(await badge.innerText(), 10);
};
const row = ({ page }, title) => page.locator(".row").filter({ has: page.locator(".row-title", { hasText: title }) });
const write = async ({ page }, text) => {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByLabel("Message", { exact: true }).press("Enter");
};
const bubbleOf = ({ page }, text) => page.locator(".message", { hasText: text }).last();
const stored = ({ page }, text) => page.locator(".message[data-seq]", { hasText: text }).last();
const button = ({ page }, name) => page.getByRole("button", { name, exact: true });
const shot = ({ page }, name) => page.screenshot({ path: join(options.shots, `${name}.png`) });

const loaded = ({ page }) => page.locator(".thread [role=log][aria-busy=false]").waitFor({ state: "attached" });

async function signIn(one, fullName) {
  await one.page.goto(options.url);
  await button(one, fullName).click();
  await connected(one);
}

/** The texts of this run; the suffix distinguishes them from the texts of earlier runs. */
const RUN = Date.now().toString(36).slice(-4);
const text = {
  helloGrace: `Hello Grace ~${RUN}`,
  areYouThere: `Are you there? ~${RUN}`,
  yesIAm: `Yes, I am ~${RUN}`,
  veryGood: `Very good ~${RUN}`,
  good: `Good ~${RUN}`,
  one: `one ~${RUN}`,
  two: `two ~${RUN}`,
  three: `three ~${RUN}`,
  whatDoesItCompute: `What does it compute? ~${RUN}`,
  hidden: `hidden ~${RUN}`,
  seen: `seen ~${RUN}`,
};

const ada = await openUser("Ada");
const grace = await openUser("Grace");

step("both demo users sign in with one click and are connected", async () => {
  await ada.page.goto(options.url);
  await button(ada, "Ada Lovelace").waitFor();
  await shot(ada, "sign-in");
  await Promise.all([signIn(ada, "Ada Lovelace"), signIn(grace, "Grace Hopper")]);
  await ada.page.getByText("Ada Lovelace").first().waitFor();
  await grace.page.locator("ul.list, p.list-empty").waitFor();
  grace.unread = await unread(grace, "Ada Lovelace");
});

step("each user has exactly two subscriptions, to the user's own channels", async () => {
  for (const one of [ada, grace]) {
    equal(one.subscribed.length, 2, `${one.name}'s subscriptions`);
    const [chats, users] = [...one.subscribed].sort();
    equal([chats.split("/")[1], users.split("/")[1]], ["chats", "users"], "namespaces");
    equal(chats.split("/")[2], users.split("/")[2], "user id");
  }
});

step("Ada finds Grace by name and writes to her", async () => {
  await button(ada, "New chat").click();
  await ada.page.getByLabel("Name", { exact: true }).fill("gra hop");
  await button(ada, "Chat with Grace Hopper").click();
  await ada.page.getByRole("heading", { name: "Grace Hopper" }).first().waitFor();
  await loaded(ada);
  await write(ada, text.helloGrace);
  await write(ada, text.areYouThere);
  await shows(ada, [text.helloGrace, text.areYouThere]);
  await until("no message is being sent", async () => (await ada.page.locator(".message-sending").count()) === 0);
});

step("the message appears in Grace's list, with preview and unread count", async () => {
  await row(grace, "Ada Lovelace").getByText(text.areYouThere).waitFor();
  equal((await unread(grace, "Ada Lovelace")) - grace.unread, 2, "new unread messages");
  equal(/^\(\d+\) PantherKolab$/.test(await grace.page.title()), true, "the title shows the unread count");
  equal(await ada.page.locator(".delivery").innerText(), "Sent", "delivery");
});

step("Grace opens the chat, and Ada sees that it was read", async () => {
  await row(grace, "Ada Lovelace").click();
  await shows(grace, [text.helloGrace, text.areYouThere]);
  await ada.page.locator(".delivery", { hasText: "Read" }).waitFor();
  equal(await unread(grace, "Ada Lovelace"), 0, "unread messages");
});

step("Ada sees that Grace is typing, then her message, once", async () => {
  await grace.page.getByLabel("Message", { exact: true }).pressSequentially(text.yesIAm, { delay: 20 });
  await ada.page.locator(".typing", { hasText: "Grace Hopper is typing" }).waitFor();
  await shot(ada, "typing");
  await grace.page.getByLabel("Message", { exact: true }).press("Enter");
  await shows(ada, [text.helloGrace, text.areYouThere, text.yesIAm]);
  await shows(grace, [text.helloGrace, text.areYouThere, text.yesIAm]);
  equal(await ada.page.locator(".typing").innerText(), "", "typing notice");
});

step("a reply quotes the original message", async () => {
  const original = bubbleOf(ada, text.yesIAm);
  await original.hover();
  await original.getByRole("button", { name: "Reply" }).click();
  await write(ada, text.good);
  await bubbleOf(grace, text.good).locator(".quote", { hasText: text.yesIAm }).waitFor();
});

step("Arrow Up starts an edit, and the edit reaches the other user", async () => {
  await stored(ada, text.good).waitFor();
  await ada.page.getByLabel("Message", { exact: true }).press("ArrowUp");
  await until(
    "the field holds the message",
    async () => (await ada.page.getByLabel("Message", { exact: true }).inputValue()) === text.good
  );
  await write(ada, text.veryGood);
  await shows(grace, [text.helloGrace, text.areYouThere, text.yesIAm, text.veryGood]);
  await bubbleOf(grace, text.veryGood).getByText("edited").waitFor();
});

step("a deletion asks for confirmation and reaches the other user", async () => {
  const deleted = bubbleOf(ada, text.areYouThere);
  await deleted.hover();
  await deleted.getByRole("button", { name: "Delete" }).click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await shows(grace, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood]);
  await shows(ada, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood]);
});

step("after a reload Grace is still signed in and the history is shown", async () => {
  await grace.page.reload();
  await connected(grace);
  await row(grace, "Ada Lovelace").click();
  await shows(grace, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood]);
});

step("a lost connection is shown, and the missed messages arrive once and in order", async () => {
  grace.outage = true;
  for (const socket of grace.sockets.splice(0)) {
    await socket.close();
  }
  await until("Grace is reconnecting", async () => (await connection(grace)) === "reconnecting");
  await write(ada, text.one);
  await write(ada, text.two);
  await stored(ada, text.two).waitFor();
  equal((await bubbles(grace)).includes(text.one), false, "Grace sees the message while she is disconnected");
  await shot(grace, "reconnecting");
  grace.outage = false;
  await button(grace, "Try now").click();
  await connected(grace);
  await shows(grace, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood, text.one, text.two]);
});

step("a message that cannot be sent stays, and is sent once when the user retries", async () => {
  await ada.page.route("**/api/messages/send", (route) => route.abort());
  await write(ada, text.three);
  await button(ada, "Try again").waitFor();
  await shot(ada, "failed");
  await ada.page.unroute("**/api/messages/send");
  await button(ada, "Try again").click();
  await shows(grace, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood, text.one, text.two, text.three]);
  await shows(ada, [text.helloGrace, "Message deleted", text.yesIAm, text.veryGood, text.one, text.two, text.three]);
  equal(await ada.page.locator(".message-failed").count(), 0, "failed bubbles");
});

step("a long history can be paged back to its beginning", async () => {
  // Together with the earlier messages, more than one page of history.
  const numbers = Array.from({ length: 46 }, (_, index) => `line ${index + 1} ~${RUN}`);
  for (const line of numbers) {
    await write(ada, line);
  }
  const sending = ada.page.locator(".message-sending");
  await until("all are sent", async () => (await sending.count()) === 0, LONG_WAIT_MS);
  equal(await ada.page.locator(".message-failed").count(), 0, "failed messages");
  await grace.page.reload();
  await connected(grace);
  await row(grace, "Ada Lovelace").click();
  await grace.page.getByText(numbers[45], { exact: true }).last().waitFor();
  const beginning = grace.page.getByText("This is the beginning of the conversation.");
  await until("the beginning is reached", async () => {
    await grace.page.locator(".history").evaluate((element) => element.scrollTo(0, 0));
    return (await beginning.count()) === 1;
  });
  await shows(grace, [
    text.helloGrace,
    "Message deleted",
    text.yesIAm,
    text.veryGood,
    text.one,
    text.two,
    text.three,
    ...numbers,
  ]);
});

step("Ada creates a group, and Grace finds it in her list and writes in it", async () => {
  await button(ada, "New group").click();
  await ada.page.getByLabel("Group name").fill("Analytical Engine");
  await ada.page.getByLabel("Name", { exact: true }).fill("grace");
  await button(ada, "Add Grace Hopper").click();
  await shot(ada, "new-group");
  await button(ada, "Create group").click();
  await ada.page.getByRole("heading", { name: "Analytical Engine" }).first().waitFor();
  await row(grace, "Analytical Engine").click();
  await write(grace, text.whatDoesItCompute);
  await ada.page.locator(".message-sender", { hasText: "Grace Hopper" }).waitFor();
  equal(await bubbles(ada), [text.whatDoesItCompute], "the group's messages");
});

step("changes of roles, name and members of a group are shown to all members", async () => {
  await button(ada, "Details").click();
  await button(ada, "Make an admin: Grace Hopper").click();
  await button(ada, "Make a member: Grace Hopper").waitFor();
  await shot(ada, "group-details");
  await button(grace, "Details").click();
  await button(grace, "Rename").click();
  await grace.page.getByRole("dialog").getByLabel("Group name").fill("Difference Engine");
  await button(grace, "Save").click();
  await row(ada, "Difference Engine").waitFor();
  await button(ada, "Remove Grace Hopper").click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await until("the group is gone from Grace's list", async () => (await row(grace, "Difference Engine").count()) === 0);
  await button(ada, "Leave group").click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  await until("the group is gone from Ada's list", async () => (await row(ada, "Difference Engine").count()) === 0);
});

step("a blocked user sees a normal send, and the blocker does not receive the message", async () => {
  await row(grace, "Ada Lovelace").click();
  await button(grace, "Details").click();
  await button(grace, "Block Ada Lovelace").click();
  await grace.page.getByRole("dialog").getByRole("button", { name: "Block", exact: true }).click();
  await grace.page.getByText("You blocked Ada Lovelace.").waitFor();
  await row(ada, "Grace Hopper").click();
  await write(ada, text.hidden);
  await stored(ada, text.hidden).waitFor();
  equal(await ada.page.locator(".delivery").innerText(), "Sent", "delivery");
  await button(grace, "Unblock Ada Lovelace").click();
  await grace.page.getByLabel("Message", { exact: true }).waitFor();
  await write(ada, text.seen);
  await bubbleOf(grace, text.seen).waitFor();
  equal((await bubbles(grace)).includes(text.hidden), false, "the hidden message is shown");
  await until("no gap is open", async () => (await grace.page.locator(".history-gap").count()) === 0);
});

step("on a phone either the list or the chat is shown, in light and dark mode", async () => {
  await grace.page.setViewportSize(PHONE);
  await button(grace, "Close details").click();
  await shot(grace, "phone-thread-light");
  await grace.page.emulateMedia({ colorScheme: "dark" });
  await shot(grace, "phone-thread-dark");
  equal(await grace.page.locator(".sidebar").isVisible(), false, "the list is shown beside the chat");
  const overflow = await grace.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  equal(overflow <= 0, true, "the page fits the width");
  await button(grace, "Back to the list").click();
  await row(grace, "Ada Lovelace").waitFor();
  await shot(grace, "phone-list-dark");
  await ada.page.emulateMedia({ colorScheme: "dark" });
  await shot(ada, "desktop-dark");
  await ada.page.emulateMedia({ colorScheme: "light" });
  await shot(ada, "desktop-light");
});

step("a dialog takes the focus, keeps it, and restores it on Escape", async () => {
  await button(ada, "New chat").focus();
  await ada.page.keyboard.press("Enter");
  const focused = () =>
    ada.page.evaluate(() => [
      document.activeElement?.closest("dialog") !== null,
      document.activeElement?.textContent ?? "",
    ]);
  await until(
    "the search field has the focus",
    async () => (await ada.page.evaluate(() => document.activeElement?.tagName)) === "INPUT"
  );
  equal((await focused())[0], true, "focus in the dialog");
  await ada.page.keyboard.press("Escape");
  await until("the dialog is gone", async () => (await ada.page.getByRole("dialog").count()) === 0);
  equal(await focused(), [false, "New chat"], "focus after the dialog");
});

step("a new user signs up, confirms and is found by name", async () => {
  const joan = await openUser("Joan");
  await joan.page.goto(options.url);
  await button(joan, "New here? Create an account").click();
  await joan.page.getByLabel("First name").fill("Joan");
  await joan.page.getByLabel("Last name").fill("Clarke");
  await joan.page.getByLabel("E-mail").fill(`joan.${Date.now()}@example.edu`);
  await joan.page.getByLabel("Password").fill("Enigma-1941-hut8");
  await button(joan, "Sign up").click();
  await joan.page.getByLabel("Code").fill("123456");
  await button(joan, "Confirm").click();
  await connected(joan);
  await joan.page.getByText("Joan Clarke").first().waitFor();
  await button(ada, "New chat").click();
  await ada.page.getByLabel("Name", { exact: true }).fill("clarke");
  await button(ada, "Chat with Joan Clarke").first().waitFor();
  await button(ada, "Close").click();
  equal(joan.errors, [], "errors on Joan's page");
  await joan.context.close();
});

step("a wrong password is explained", async () => {
  const visitor = await openUser("Visitor");
  await visitor.page.goto(options.url);
  await visitor.page.getByLabel("E-mail").fill("ada@example.edu");
  await visitor.page.getByLabel("Password").fill("not-the-Password-1");
  await button(visitor, "Sign in").click();
  await visitor.page.getByText("The e-mail address or the password is wrong.").waitFor();
  await visitor.context.close();
});

step("signing out clears the storage and the page", async () => {
  await button(ada, "Sign out").click();
  await ada.page.getByRole("heading", { name: "Sign in" }).waitFor();
  const left = await ada.page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }, document.cookie]);
  equal(left, [{}, {}, ""], "storage");
  equal(await ada.page.getByText(text.helloGrace).count(), 0, "messages");
});

step("no script failed, and no other host was contacted", async () => {
  for (const one of [ada, grace]) {
    equal(one.errors, [], `errors on ${one.name}'s page`);
    equal(
      [...one.hosts].filter((host) => !["localhost", "127.0.0.1"].includes(host)),
      [],
      "other hosts"
    );
  }
});

try {
  for (const { title, run } of steps) {
    let failure = null;
    try {
      await run();
    } catch (error) {
      failure = error.stack ?? String(error);
      await Promise.all([ada, grace].map((one) => shot(one, `failure-${one.name}`).catch(() => undefined)));
    }
    console.log(JSON.stringify({ title, failure }));
    if (failure !== null) {
      break;
    }
  }
} finally {
  await chrome.close();
}
