// Main module of a function's process: loads one Node.js handler and calls it for one event after the other. The messages
// are those of bootstrap.py.
import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const connection = new Socket({ fd: Number(process.argv[2]), readable: true, writable: true });
const variables = process.env;
// Ends the process when the service has ended. For a handler that never yields, the worker thread below does it.
connection.on("end", () => process.exit(0));
connection.on("error", () => process.exit(0));
// The parent's process id is an argument, because the parent may have ended before this line runs.
const WATCH = `const { workerData } = require("node:worker_threads");
setInterval(() => process.ppid === workerData || process.kill(process.pid, 9), 1000);`;
new Worker(WATCH, { eval: true, workerData: Number(process.argv[3]) }).unref();

const send = (message) => {
  const data = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  connection.write(Buffer.concat([head, data]));
};

const described = (error, type) => {
  console.error(error);
  const known = error instanceof Error;
  return {
    errorType: type ?? (known ? error.name : typeof error),
    errorMessage: known ? error.message : String(error),
    trace: known ? (error.stack ?? "").split("\n") : [],
  };
};

const load = async (name) => {
  const root = variables.LAMBDA_TASK_ROOT;
  const at = name.lastIndexOf(".");
  if (at < 1) throw new Error(`Bad handler '${name}': it must be module.function`);
  const path = [".mjs", ".js", ".cjs"].map((end) => resolve(root, name.slice(0, at) + end)).find(existsSync);
  if (path === undefined) throw Object.assign(new Error(`Cannot find module '${name.slice(0, at)}'`), { missing: true });
  const module = await import(pathToFileURL(path).href);
  const handler = module[name.slice(at + 1)] ?? module.default?.[name.slice(at + 1)];
  if (typeof handler !== "function") throw new Error(`${name} is undefined or not a function`);
  return handler;
};

const contextOf = (request, done) => ({
  awsRequestId: request.requestId,
  callbackWaitsForEmptyEventLoop: true,
  functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
  invokedFunctionArn: variables.LOCAL_FUNCTION_ARN,
  memoryLimitInMB: variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: variables.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: variables.AWS_LAMBDA_LOG_STREAM_NAME,
  getRemainingTimeInMillis: () => Math.max(0, Math.round(request.deadline * 1000 - Date.now())),
  done,
  fail: (error) => done(error),
  succeed: (value) => done(null, value),
});

// A handler returns a promise or a value, or calls the callback.
const call = (handler, request) =>
  new Promise((fulfil, reject) => {
    const done = (error, value) => (error === null || error === undefined ? fulfil(value) : reject(error));
    const returned = handler(JSON.parse(request.event), contextOf(request, done), done);
    if (typeof returned?.then === "function") returned.then(fulfil, reject);
    else if (returned !== undefined || handler.length < 3) fulfil(returned);
  });

const answer = async (handler, request) => {
  try {
    return { payload: JSON.stringify((await call(handler, request)) ?? null) };
  } catch (error) {
    return { error: described(error) };
  }
};

let waiting = Buffer.alloc(0);
let deliver = null;
const next = () => {
  if (deliver === null || waiting.length < 4 || waiting.length < 4 + waiting.readUInt32BE()) return;
  const end = 4 + waiting.readUInt32BE();
  const request = JSON.parse(waiting.subarray(4, end).toString());
  waiting = waiting.subarray(end);
  const taken = deliver;
  deliver = null;
  taken(request);
};
connection.on("data", (data) => {
  waiting = Buffer.concat([waiting, data]);
  next();
});

let handler;
try {
  handler = await load(variables._HANDLER);
} catch (error) {
  send({ error: described(error, error?.missing ? "Runtime.ImportModuleError" : undefined) });
  connection.end();
}
if (handler !== undefined) {
  send({ ready: true });
  for (;;) {
    const request = await new Promise((fulfil) => {
      deliver = fulfil;
      next();
    });
    send(await answer(handler, request));
  }
}
