import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ApiError } from "../../web/src/client/api";
import { entriesOf, totalUnread } from "../../web/src/client/state/selectors";
import { Session } from "../../web/src/client/session";
import { checkPausesMs } from "../../web/src/client/synchroniser";
import { TYPING_EVERY_MS, TYPING_PAUSE_MS, TypingNotices } from "../../web/src/client/typing";
import { ADA, DM, GRACE, InstantClock, FakeRealtime, FakeBackend, event, settled } from "./backend";

interface OpenSession {
  readonly backend: FakeBackend;
  readonly realtime: FakeRealtime;
  readonly session: Session;
}

async function openSession(
  backend = new FakeBackend(),
  checkPauses: readonly number[] = [],
  clock = new InstantClock()
): Promise<OpenSession> {
  const realtime = new FakeRealtime();
  const session = new Session(ADA, backend.api, realtime, clock, () => checkPauses);
  void session.start();
  realtime.setConnection("connected");
  await settled(backend);
  await session.open(DM);
  await settled(backend);
  return { backend, realtime, session };
}

/** Deliver everything that was published. */
function deliverAll({ backend, realtime }: OpenSession): void {
  realtime.deliver(...backend.published.splice(0));
}

function contents({ session }: OpenSession): (string | null)[] {
  return entriesOf(session.store.state, DM).map((entry) =>
    entry.kind === "message" ? entry.message.content : entry.kind === "outgoing" ? `(${entry.outgoing.status})` : "…"
  );
}

test("a missed message is read as soon as the next one shows the gap", async () => {
  const opened = await openSession();
  const { backend } = opened;
  for (const content of ["one", "two", "three"]) {
    backend.store(GRACE, content);
  }
  backend.published.splice(0, 2);
  deliverAll(opened);
  await settled(backend);
  assert.deepEqual(contents(opened), ["one", "two", "three"]);
  assert.deepEqual(backend.callsOf("getHistory").at(-1), { afterSeq: 0, afterChange: 0 });
});

test("a message whose event was lost appears without a later event", async () => {
  const backend = new FakeBackend();
  let checkNow: () => void = () => undefined;
  const clock = new InstantClock();
  const instantly = clock.sleep.bind(clock);
  clock.sleep = (ms) => (ms === 3_000 ? new Promise((resolve) => (checkNow = resolve)) : instantly(ms));
  const opened = await openSession(backend, [3_000], clock);
  backend.store(GRACE, "lost");
  backend.published = [];
  await settled(backend);
  assert.deepEqual(contents(opened), []);
  checkNow();
  await settled(backend);
  assert.deepEqual(contents(opened), ["lost"]);
});

test("the checks of completeness come after three seconds and then every minute", () => {
  const pauses = checkPausesMs();
  assert.deepEqual([pauses.next().value, pauses.next().value, pauses.next().value], [3_000, 60_000, 60_000]);
});

test("a reconnect reads what was sent, edited and deleted meanwhile", async () => {
  const backend = new FakeBackend();
  for (const content of ["one", "two", "three"]) {
    backend.store(GRACE, content);
  }
  backend.published = [];
  const opened = await openSession(backend);
  opened.realtime.setConnection("reconnecting");
  backend.store(GRACE, "four");
  backend.edit("m1", "ONE");
  backend.remove("m2");
  backend.published = [];
  opened.realtime.setConnection("connected");
  await settled(backend);
  assert.deepEqual(contents(opened), ["ONE", null, "three", "four"]);
});

test("a gap too wide to fill gets reload, and the newest page replaces the loaded messages", async () => {
  const backend = new FakeBackend();
  backend.gapLimit = 5;
  backend.pageSize = 3;
  backend.store(GRACE, "first");
  const opened = await openSession(backend);
  opened.realtime.setConnection("reconnecting");
  for (let number = 2; number <= 20; number += 1) {
    backend.store(GRACE, `n${number}`);
  }
  backend.published = [];
  opened.realtime.setConnection("connected");
  await settled(backend);
  assert.deepEqual(contents(opened), ["n18", "n19", "n20"]);
  await opened.session.loadOlder(DM);
  assert.deepEqual(contents(opened), ["n15", "n16", "n17", "n18", "n19", "n20"]);
});

test("paging through a long history yields every message once", async () => {
  const backend = new FakeBackend();
  backend.pageSize = 7;
  const expected = Array.from({ length: 40 }, (_, index) => backend.store(GRACE, `n${index}`).content);
  const opened = await openSession(backend);
  while (opened.session.store.state.threads[DM]?.olderCursor !== null) {
    await opened.session.loadOlder(DM);
  }
  assert.deepEqual(contents(opened), expected);
});

test("after a lost response, the retry has the same tempId: one message is stored and one bubble shown", async () => {
  const opened = await openSession();
  const { backend, session } = opened;
  let failures = 2;
  backend.fault = (operation) => (operation === "sendMessage" && failures-- > 0 ? "after" : null);
  session.send(DM, "hello", null);
  await settled(backend);
  deliverAll(opened);
  await settled(backend);
  assert.deepEqual(contents(opened), ["hello"]);
  assert.equal(backend.log.length, 1);
  assert.equal(new Set(backend.callsOf("sendMessage").map((request) => request["tempId"])).size, 1);
});

test("a message that cannot be sent is shown as failed, and sent after a reconnect", async () => {
  const opened = await openSession();
  const { backend, session, realtime } = opened;
  realtime.setConnection("reconnecting");
  backend.fault = () => "before";
  session.send(DM, "hello", null);
  await settled(backend);
  assert.deepEqual(contents(opened), ["(failed)"]);
  backend.fault = () => null;
  realtime.setConnection("connected");
  await settled(backend);
  assert.deepEqual(contents(opened), ["hello"]);
});

test("a message that the server refused stays until the user retries or discards it", async () => {
  const opened = await openSession();
  const { backend, session, realtime } = opened;
  const call = backend.api.call;
  const refuse = mock.method(backend.api, "call", async (...request: Parameters<typeof call>) => {
    if (request[0] === "sendMessage") {
      throw new ApiError(403, "FORBIDDEN", "You are not in this conversation.");
    }
    return call(...request);
  });
  session.send(DM, "hello", null);
  session.send(DM, "again", null);
  await settled(backend);
  assert.deepEqual(contents(opened), ["(failed)", "(failed)"]);
  refuse.mock.restore();
  realtime.setConnection("reconnecting");
  realtime.setConnection("connected");
  await settled(backend);
  assert.deepEqual(contents(opened), ["(failed)", "(failed)"]);
  session.discard(session.store.state.outgoing[0]?.tempId ?? "");
  session.retry(session.store.state.outgoing[0]?.tempId ?? "");
  await settled(backend);
  assert.deepEqual(contents(opened), ["again"]);
});

test("messages are stored in the order written, even when the first needs a second attempt", async () => {
  const { backend, session } = await openSession();
  let failures = 1;
  backend.fault = (operation) => (operation === "sendMessage" && failures-- > 0 ? "before" : null);
  for (const content of ["one", "two", "three"]) {
    session.send(DM, content, null);
  }
  await settled(backend);
  assert.deepEqual(
    backend.log.map((stored) => stored.content),
    ["one", "two", "three"]
  );
});

test("the visible messages are marked as read up to the newest, once", async () => {
  const backend = new FakeBackend();
  backend.store(GRACE, "one");
  backend.store(GRACE, "two");
  const { session } = await openSession(backend);
  assert.equal(totalUnread(session.store.state), 2);
  await Promise.all([session.markRead(DM), session.markRead(DM)]);
  await session.markRead(DM);
  assert.deepEqual(backend.callsOf("markRead"), [{ conversationId: DM, seq: 2 }]);
  assert.equal(totalUnread(session.store.state), 0);
});

test("the messages that are read within two seconds are marked in one request", async () => {
  const backend = new FakeBackend();
  backend.store(GRACE, "one");
  let pauseEnds: () => void = () => undefined;
  const clock = new InstantClock();
  const instantly = clock.sleep.bind(clock);
  clock.sleep = (ms) => (ms === 2_000 ? new Promise((resolve) => (pauseEnds = resolve)) : instantly(ms));
  const opened = await openSession(backend, undefined, clock);
  const { session } = opened;
  const first = session.markRead(DM);
  await settled(backend);
  for (const text of ["two", "three"]) {
    backend.store(GRACE, text);
    deliverAll(opened);
    await session.markRead(DM);
    assert.equal(totalUnread(session.store.state), 0);
  }
  assert.deepEqual(backend.callsOf("markRead"), [{ conversationId: DM, seq: 1 }]);
  pauseEnds();
  await settled(backend);
  assert.deepEqual(backend.callsOf("markRead"), [
    { conversationId: DM, seq: 1 },
    { conversationId: DM, seq: 3 },
  ]);
  pauseEnds();
  await first;
});

test("the open conversation disappears when the server denies access to it", async () => {
  const { backend, session, realtime } = await openSession();
  const call = backend.api.call;
  mock.method(backend.api, "call", async (...request: Parameters<typeof call>) => {
    if (request[0] === "getConversation") {
      throw new ApiError(403, "FORBIDDEN", "You are not in this conversation.");
    }
    return call(...request);
  });
  realtime.setConnection("reconnecting");
  realtime.setConnection("connected");
  await settled(backend);
  assert.equal(session.store.state.selected, null);
});

test("a malformed event is ignored", async () => {
  const opened = await openSession();
  const before = opened.session.store.state;
  opened.realtime.deliver(null, "text", 7, {}, { type: "MESSAGE_SENT" }, { type: "MESSAGE_SENT", eventId: 1, data: {} });
  assert.equal(opened.session.store.state, before);
});

test("a stopped session sends no requests", async () => {
  const opened = await openSession();
  await opened.session.stop();
  const calls = opened.backend.calls.length;
  opened.realtime.deliver(event("MESSAGE_SENT", { ...opened.backend.store(GRACE, "late"), tempId: null }));
  opened.realtime.setConnection("connected");
  await settled(opened.backend);
  assert.equal(opened.backend.calls.length, calls);
});

test("typing is announced at most every two seconds, and its end after a pause", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const announced: unknown[] = [];
  const notices = new TypingNotices({
    call: (_operation, _path, request) => {
      announced.push((request as { isTyping: boolean }).isTyping);
      return Promise.resolve({} as never);
    },
  });
  for (let now = 0; now < 2 * TYPING_EVERY_MS; now += 100) {
    notices.typed(DM, now);
  }
  assert.deepEqual(announced, [true, true]);
  mock.timers.tick(TYPING_PAUSE_MS);
  assert.deepEqual(announced, [true, true, false]);
  notices.typed(DM, 60_000);
  notices.reset();
  mock.timers.tick(TYPING_PAUSE_MS);
  assert.deepEqual(announced, [true, true, false, true]);
  mock.timers.reset();
});

/** Pseudorandom numbers, the same for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Two users write, edit and delete while events are lost, repeated and reordered, and requests fail. */
async function runRandomSession(seed: number): Promise<void> {
  const random = generator(seed);
  const backend = new FakeBackend();
  backend.gapLimit = 4 + random(12);
  backend.pageSize = 3 + random(8);
  const opened = await openSession(backend);
  const { realtime, session } = opened;
  backend.fault = () => (random(8) === 0 ? "before" : random(8) === 0 ? "after" : null);
  for (let step = 0; step < 60; step += 1) {
    const target = backend.log[random(Math.max(1, backend.log.length))];
    const choice = random(10);
    if (choice < 3) {
      backend.store(GRACE, `grace ${step}`);
    } else if (choice < 5) {
      session.send(DM, `ada ${step}`, null);
    } else if (choice === 5 && target && !target.deleted) {
      backend.edit(target.messageId, `edited ${step}`);
    } else if (choice === 6 && target && !target.deleted) {
      backend.remove(target.messageId);
    } else if (choice === 7) {
      realtime.setConnection("reconnecting");
    } else if (choice === 8) {
      realtime.setConnection("connected");
    } else {
      session.loadOlder(DM).catch(() => undefined);
    }
    const due = backend.published.splice(0).flatMap((one) => {
      const outcome = random(6);
      return outcome === 0 || session.store.state.connection !== "connected" ? [] : outcome === 1 ? [one, one] : [one];
    });
    due.sort(() => random(3) - 1);
    realtime.deliver(...due);
    if (random(3) === 0) {
      await settled(backend);
    }
  }
  backend.fault = () => null;
  for (let round = 0; round < 2; round += 1) {
    await settled(backend);
    realtime.setConnection("reconnecting");
    realtime.setConnection("connected");
  }
  await settled(backend);
  while (session.store.state.threads[DM]?.olderCursor !== null) {
    await session.loadOlder(DM);
  }
  await settled(backend);
  const held = session.store.state.threads[DM]?.messages ?? [];
  const facts = (list: typeof held): unknown[] =>
    list.map(({ messageId, seq, content, deleted }) => [messageId, seq, content, deleted]);
  assert.deepEqual(facts(held), facts(backend.log), `seed ${seed}`);
  assert.deepEqual(session.store.state.outgoing, [], `seed ${seed}`);
  const texts = backend.log.filter(({ senderId }) => senderId === ADA).length;
  assert.equal(texts, new Set(backend.callsOf("sendMessage").map((request) => request["tempId"])).size, `seed ${seed}`);
  assert.equal(totalUnread(session.store.state), backend.adaView().unreadCount, `seed ${seed}`);
  await session.stop();
}

test("with lost, repeated and reordered events, the page ends with exactly the messages of the server", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    await runRandomSession(seed);
  }
});
