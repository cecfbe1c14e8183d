import assert from "node:assert/strict";
import { test } from "node:test";
import { socketEndpoint } from "../../web/src/client/endpoint";
import { ConfigError, parseConfig } from "../../web/src/config";

const VALID = {
  region: "us-east-1",
  userPoolId: "us-east-1_abc",
  userPoolClientId: "client",
  apiUrl: "https://api.example.com/",
  eventsHttpEndpoint: "https://events.example.com/event",
};

test("Amplify gets a ws:// address for an http:// endpoint, and an https:// endpoint unchanged", () => {
  assert.equal(socketEndpoint("http://localhost:4567/event"), "ws://localhost:4567/event");
  assert.equal(socketEndpoint("HTTP://localhost:4567/event"), "ws://localhost:4567/event");
  assert.equal(socketEndpoint(VALID.eventsHttpEndpoint), VALID.eventsHttpEndpoint);
});

test("the settings of a deployed backend need neither demo users nor an endpoint of the user pool", () => {
  assert.deepEqual(parseConfig(VALID), { ...VALID, apiUrl: "https://api.example.com", demoUsers: [] });
});

test("the error about invalid settings names every missing field", () => {
  const missing = (error: unknown): boolean =>
    error instanceof ConfigError && error.message.includes("userPoolId, apiUrl");
  assert.throws(() => parseConfig({ ...VALID, userPoolId: "", apiUrl: 7 }), missing);
  assert.throws(() => parseConfig(null), ConfigError);
});

test("an incomplete demo user is ignored", () => {
  const user = { email: "a@b.c", password: "p", name: "A" };
  assert.deepEqual(parseConfig({ ...VALID, demoUsers: [user, { email: "x" }, null] }).demoUsers, [user]);
});
