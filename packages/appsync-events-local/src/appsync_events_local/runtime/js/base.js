// Base of the other files: the state of one call (clock, randomness, answers of the host), how a handler is stopped, and
// the restricted built-in objects that handler code sees instead of JavaScript's own.
globalThis.__appsync = (() => {
  "use strict";
  const call = { now: 0, random: [0, 0, 0, 0], answers: {}, logs: [], appended: [], identity: null, place: {} };

  const begin = (host, identity) => {
    call.now = host.now;
    call.random = [0, 8, 16, 24].map((at) => parseInt(host.seed.slice(at, at + 8), 16) | 0);
    call.answers = host.answers;
    call.logs = [];
    call.appended = [];
    call.identity = identity;
  };

  // sfc32, seeded by the host's entropy: a call repeated with the same seed sees the same values.
  const random32 = () => {
    const s = call.random;
    const t = (((s[0] + s[1]) | 0) + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = (((s[2] << 21) | (s[2] >>> 11)) + t) | 0;
    return t >>> 0;
  };
  const random = () => ((random32() >>> 5) * 67108864 + (random32() >>> 6)) / 9007199254740992;
  const randomBytes = (count) => Array.from({ length: count }, () => random32() & 255);

  class Signal {
    constructor(outcome) {
      this.outcome = outcome;
    }
  }
  const stop = (outcome) => {
    throw new Signal(outcome);
  };

  // Asks the host something that plain JavaScript cannot know. The host runs the call again with the answer.
  const ask = (question) => {
    if (!Object.hasOwn(call.answers, question)) stop({ kind: "question", question });
    const answer = call.answers[question];
    if (answer.error !== undefined) fail(answer.error);
    return answer;
  };
  const fail = (message) => {
    throw new Error(message);
  };
  // Placeholder of a function of AWS that this service does not imitate: code that names it is refused when it is loaded,
  // and code that reaches it in another way fails when it calls it.
  const notImitated = (name) => {
    const reason = `${name} is not imitated by the local Events service`;
    const refuse = () => fail(reason);
    refuse.notImitated = reason;
    return refuse;
  };

  const deepFreeze = (value) => {
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      Object.freeze(value);
      Object.values(value).forEach(deepFreeze);
    }
    return value;
  };

  const nativeParse = JSON.parse;
  const safeJson = {
    parse: (text) => {
      try {
        return nativeParse(text);
      } catch {
        return "";
      }
    },
    stringify: JSON.stringify,
  };

  const pick = (source, names) => Object.fromEntries(names.map((name) => [name, source[name]]));
  // Called by the rewritten code before each use of `console`, with the position in the original code.
  const at = (value, line, column) => {
    call.place = { line, column };
    return value;
  };
  const log = (level) => (...values) => {
    const text = values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(" ");
    call.logs.push({ level, text, ...call.place });
  };
  const builtins = deepFreeze({
    JSON: safeJson,
    Object: pick(Object, ["assign", "entries", "hasOwn", "keys", "values"]),
    Math: { ...pick(Math, ["min", "max", "round", "floor", "ceil"]), random },
    Number: pick(Number, ["isFinite", "isNaN"]),
    console: { log: log("INFO"), error: log("ERROR"), debug: log("DEBUG") },
  });

  return { call, begin, at, random, randomBytes, stop, ask, fail, notImitated, deepFreeze, builtins, Signal, modules: {} };
})();
