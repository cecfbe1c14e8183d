// Loads a checked and rewritten module and calls its exported functions.
(() => {
  "use strict";
  const { begin, at, builtins, modules, call, fail, Signal } = __appsync;
  let factory = null;
  let maxIterations = 0;

  // Counts the iterations of a for...of, so that a loop over a growing array ends.
  const each = function* (values) {
    let count = 0;
    for (const value of values) {
      count++;
      if (count > maxIterations) fail(`a loop ran more than ${maxIterations} times`);
      yield value;
    }
  };

  const load = (source, loopIterations) => {
    maxIterations = loopIterations;
    factory = (0, eval)(source);
  };

  // Out of memory, quickjs throws null where it cannot even make an error.
  const describe = (error) => {
    if (error === null) return { message: "out of memory", limit: true };
    if (!(error instanceof Error)) return { message: String(error), limit: false };
    const frames = (error.stack ?? "").split("\n");
    const handler = frames[frames.findIndex((frame) => frame.includes("at invoke")) - 1];
    const line = /<input>:(\d+)/.exec(handler ?? "");
    const where = line === null ? "" : ` (line ${line[1]})`;
    const limit = error.message === "out of memory" || error.message.startsWith("Maximum call stack");
    return { message: `${error.name}: ${error.message}${where}`, limit };
  };

  const invoke = (handler, phase, contextText, hostText) => {
    let outcome;
    let context;
    try {
      context = JSON.parse(contextText);
      begin(JSON.parse(hostText), context.identity);
      const exported = factory(modules, builtins, each, at)[handler];
      const value = (phase === "" ? exported : exported[phase])(context);
      outcome = { kind: "returned", value: value === undefined ? null : value };
      return JSON.stringify({ ...outcome, stash: context.stash, logs: call.logs, appended: call.appended });
    } catch (error) {
      outcome = error instanceof Signal ? error.outcome : { kind: "crashed", ...describe(error) };
    }
    // The report of a failure must not fail itself: a stash that is not JSON is left out.
    const report = { ...outcome, logs: call.logs, appended: call.appended };
    try {
      return JSON.stringify({ ...report, stash: context?.stash });
    } catch {
      return JSON.stringify(report);
    }
  };

  Object.assign(__appsync, { load, invoke });
})();
