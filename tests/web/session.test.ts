import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ApiError } from "../../web/src/client/api";
import { entriesOf, totalUnread } from "../../web/src/client/selectors";
import { Session } from "../../web/src/client/session";
import { TYPING_EVERY_MS, TYPING_REST_MS, TypingNotices } from "../../web/src/client/typing";
import { ADA, DM, GRACE, HastyClock, Line, Server, event, settled } from "./server";

interface Setting {
  readonly server: Server;
  readonly line: Line;
  readonly session: Session;
}

async function openSession(server = new Server()): Promise<Setting> {
  const line = new Line();
  const session = new Session(ADA, server.api, line, new HastyClock());
  void session.start();
  line.become("connected");
  await settled(server);
  await session.open(DM);
  await settled(server);
  return { server, line, session };
}

/** Deliver everything that was published. */
function deliverAll({ server, line }: Setting): void {
  line.deliver(...server.published.splice(0));
}

function contents({ session }: Setting): (string | null)[] {
  return entriesOf(session.store.state, DM).map((entry) =>
    entry.kind === "message" ? entry.message.content : entry.kind === "outgoing" ? `(${entry.outgoing.status})` : "…"
  );
}

test("a message that was missed is fetched as soon as the next one shows the gap", async () => {
  const setting = await openSession();
  const { server } = setting;
  for (const content of ["one", "two", "three"]) {
    server.store(GRACE, content);
  }
  server.published.splice(0, 2);
  deliverAll(setting);
  await settled(server);
  assert.deepEqual(contents(setting), ["one", "two", "three"]);
  assert.deepEqual(server.callsOf("getHistory").at(-1), { afterSeq: 0, afterChange: 0 });
});

test("a new connection finds what was sent, edited and deleted while there was none", async () => {
  const server = new Server();
  for (const content of ["one", "two", "three"]) {
    server.store(GRACE, content);
  }
  server.published = [];
  const setting = await openSession(server);
  setting.line.become("reconnecting");
  server.store(GRACE, "four");
  server.edit("m1", "ONE");
  server.remove("m2");
  server.published = [];
  setting.line.become("connected");
  await settled(server);
  assert.deepEqual(contents(setting), ["ONE", null, "three", "four"]);
});

test("a gap that is too wide is answered by reload, and the newest page replaces what was held", async () => {
  const server = new Server();
  server.gapLimit = 5;
  server.pageSize = 3;
  server.store(GRACE, "first");
  const setting = await openSession(server);
  setting.line.become("reconnecting");
  for (let number = 2; number <= 20; number += 1) {
    server.store(GRACE, `n${number}`);
  }
  server.published = [];
  setting.line.become("connected");
  await settled(server);
  assert.deepEqual(contents(setting), ["n18", "n19", "n20"]);
  await setting.session.loadOlder(DM);
  assert.deepEqual(contents(setting), ["n15", "n16", "n17", "n18", "n19", "n20"]);
});

test("every message of a long history is reached page by page, once", async () => {
  const server = new Server();
  server.pageSize = 7;
  const expected = Array.from({ length: 40 }, (_, index) => server.store(GRACE, `n${index}`).content);
  const setting = await openSession(server);
  while (setting.session.store.state.threads[DM]?.olderCursor !== null) {
    await setting.session.loadOlder(DM);
  }
  assert.deepEqual(contents(setting), expected);
});

test("a lost answer is made good by the same tempId: one message is stored and one bubble shown", async () => {
  const setting = await openSession();
  const { server, session } = setting;
  let failures = 2;
  server.fault = (operation) => (operation === "sendMessage" && failures-- > 0 ? "after" : null);
  session.send(DM, "hello", null);
  await settled(server);
  deliverAll(setting);
  await settled(server);
  assert.deepEqual(contents(setting), ["hello"]);
  assert.equal(server.log.length, 1);
  assert.equal(new Set(server.callsOf("sendMessage").map((request) => request["tempId"])).size, 1);
});

test("a message that cannot be sent is shown as failed, and goes out when the connection is back", async () => {
  const setting = await openSession();
  const { server, session, line } = setting;
  line.become("reconnecting");
  server.fault = () => "before";
  session.send(DM, "hello", null);
  await settled(server);
  assert.deepEqual(contents(setting), ["(failed)"]);
  server.fault = () => null;
  line.become("connected");
  await settled(server);
  assert.deepEqual(contents(setting), ["hello"]);
});

test("a message that the server refused waits for the user, who can retry or discard it", async () => {
  const setting = await openSession();
  const { server, session, line } = setting;
  const call = server.api.call;
  const refuse = mock.method(server.api, "call", async (...request: Parameters<typeof call>) => {
    if (request[0] === "sendMessage") {
      throw new ApiError(403, "FORBIDDEN", "You are not in this conversation.");
    }
    return call(...request);
  });
  session.send(DM, "hello", null);
  session.send(DM, "again", null);
  await settled(server);
  assert.deepEqual(contents(setting), ["(failed)", "(failed)"]);
  refuse.mock.restore();
  line.become("reconnecting");
  line.become("connected");
  await settled(server);
  assert.deepEqual(contents(setting), ["(failed)", "(failed)"]);
  session.discard(session.store.state.outgoing[0]?.tempId ?? "");
  session.retry(session.store.state.outgoing[0]?.tempId ?? "");
  await settled(server);
  assert.deepEqual(contents(setting), ["again"]);
});

test("messages written quickly are stored in the order written, even when the first needs a second attempt", async () => {
  const { server, session } = await openSession();
  let failures = 1;
  server.fault = (operation) => (operation === "sendMessage" && failures-- > 0 ? "before" : null);
  for (const content of ["one", "two", "three"]) {
    session.send(DM, content, null);
  }
  await settled(server);
  assert.deepEqual(
    server.log.map((stored) => stored.content),
    ["one", "two", "three"]
  );
});

test("what is in view is marked as read up to the newest, and once", async () => {
  const server = new Server();
  server.store(GRACE, "one");
  server.store(GRACE, "two");
  const { session } = await openSession(server);
  assert.equal(totalUnread(session.store.state), 2);
  await Promise.all([session.seen(DM), session.seen(DM)]);
  await session.seen(DM);
  assert.deepEqual(server.callsOf("markRead"), [{ conversationId: DM, seq: 2 }]);
  assert.equal(totalUnread(session.store.state), 0);
});

test("the open conversation disappears when the server says that it is closed to me", async () => {
  const { server, session, line } = await openSession();
  const call = server.api.call;
  mock.method(server.api, "call", async (...request: Parameters<typeof call>) => {
    if (request[0] === "getConversation") {
      throw new ApiError(403, "FORBIDDEN", "You are not in this conversation.");
    }
    return call(...request);
  });
  line.become("reconnecting");
  line.become("connected");
  await settled(server);
  assert.equal(session.store.state.selected, null);
});

test("what is no event is left alone", async () => {
  const setting = await openSession();
  const before = setting.session.store.state;
  setting.line.deliver(null, "text", 7, {}, { type: "MESSAGE_SENT" }, { type: "MESSAGE_SENT", eventId: 1, data: {} });
  assert.equal(setting.session.store.state, before);
});

test("after the session has stopped, nothing is asked for any more", async () => {
  const setting = await openSession();
  await setting.session.stop();
  const calls = setting.server.calls.length;
  setting.line.deliver(event("MESSAGE_SENT", { ...setting.server.store(GRACE, "late"), tempId: null }));
  setting.line.become("connected");
  await settled(setting.server);
  assert.equal(setting.server.calls.length, calls);
});

test("typing is told at most every two seconds, and its end after a rest", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const told: unknown[] = [];
  const notices = new TypingNotices({
    call: (_operation, _path, request) => {
      told.push((request as { isTyping: boolean }).isTyping);
      return Promise.resolve({} as never);
    },
  });
  for (let now = 0; now < 2 * TYPING_EVERY_MS; now += 100) {
    notices.typed(DM, now);
  }
  assert.deepEqual(told, [true, true]);
  mock.timers.tick(TYPING_REST_MS);
  assert.deepEqual(told, [true, true, false]);
  notices.typed(DM, 60_000);
  notices.reset();
  mock.timers.tick(TYPING_REST_MS);
  assert.deepEqual(told, [true, true, false, true]);
  mock.timers.reset();
});

/** Numbers that look random and are the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Two people write, edit and delete while the line loses, repeats and shuffles, and requests fail on either side. */
async function turbulence(seed: number): Promise<void> {
  const random = generator(seed);
  const server = new Server();
  server.gapLimit = 4 + random(12);
  server.pageSize = 3 + random(8);
  const setting = await openSession(server);
  const { line, session } = setting;
  server.fault = () => (random(8) === 0 ? "before" : random(8) === 0 ? "after" : null);
  for (let step = 0; step < 60; step += 1) {
    const target = server.log[random(Math.max(1, server.log.length))];
    const choice = random(10);
    if (choice < 3) {
      server.store(GRACE, `grace ${step}`);
    } else if (choice < 5) {
      session.send(DM, `ada ${step}`, null);
    } else if (choice === 5 && target && !target.deleted) {
      server.edit(target.messageId, `edited ${step}`);
    } else if (choice === 6 && target && !target.deleted) {
      server.remove(target.messageId);
    } else if (choice === 7) {
      line.become("reconnecting");
    } else if (choice === 8) {
      line.become("connected");
    } else {
      session.loadOlder(DM).catch(() => undefined);
    }
    const due = server.published.splice(0).flatMap((one) => {
      const fate = random(6);
      return fate === 0 || session.store.state.connection !== "connected" ? [] : fate === 1 ? [one, one] : [one];
    });
    due.sort(() => random(3) - 1);
    line.deliver(...due);
    if (random(3) === 0) {
      await settled(server);
    }
  }
  server.fault = () => null;
  for (let round = 0; round < 2; round += 1) {
    await settled(server);
    line.become("reconnecting");
    line.become("connected");
  }
  await settled(server);
  while (session.store.state.threads[DM]?.olderCursor !== null) {
    await session.loadOlder(DM);
  }
  await settled(server);
  const held = session.store.state.threads[DM]?.messages ?? [];
  const facts = (list: typeof held): unknown[] =>
    list.map(({ messageId, seq, content, deleted }) => [messageId, seq, content, deleted]);
  assert.deepEqual(facts(held), facts(server.log), `seed ${seed}`);
  assert.deepEqual(session.store.state.outgoing, [], `seed ${seed}`);
  const texts = server.log.filter(({ senderId }) => senderId === ADA).length;
  assert.equal(texts, new Set(server.callsOf("sendMessage").map((request) => request["tempId"])).size, `seed ${seed}`);
  assert.equal(totalUnread(session.store.state), server.adaView().unreadCount, `seed ${seed}`);
  await session.stop();
}

test("whatever the line loses, repeats and shuffles, the page ends with exactly the server's log", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    await turbulence(seed);
  }
});
