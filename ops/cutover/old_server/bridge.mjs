/**
 * The old Socket.IO server's side of the bridge: copy this file into the old server, and start it after `new Server(…)`.
 *
 * `startBridge` emits the messages that the new backend has stored to the sockets of their recipients. It reads a FIFO
 * queue, so that the messages of a conversation come in order. A message is deleted from the queue after it was emitted:
 * if the process dies in between, the next one emits it again, to clients that have connected again. Clients therefore
 * must know a message by its `messageId`.
 *
 * `refuseWrites` ends the old server's writes in the last phase of the cut-over.
 *
 * The role of the old server needs `sqs:ReceiveMessage` and `sqs:DeleteMessage` on the queue.
 */
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const PAUSE_MS = 1_000;
const WRITES = ["send-message", "new-call", "accept-call", "reject-call", "leave-call", "end-call"];

/**
 * Emit the messages of the queue until the returned function is called.
 *
 * @param {import("socket.io").Server} io the server.
 * @param {object} options
 * @param {string} options.queueUrl output OldServerQueueUrl of the stack Bridge.
 * @param {SQSClient} [options.client] the SQS client; by default one with the process's credentials.
 * @param {(userId: string) => string} [options.socketsOf] what the sockets of a user have joined: `user:{sub}`.
 * @param {number} [options.waitSeconds] how long a request waits for messages.
 * @param {Pick<Console, "error">} [options.log] receives errors.
 * @returns {() => Promise<void>} stops after the message that is being emitted.
 */
export function startBridge(io, options) {
  const { queueUrl, client = new SQSClient({}), socketsOf = (userId) => `user:${userId}` } = options;
  const { waitSeconds = 20, log = console } = options;
  const emitted = new Map();
  const stop = new AbortController();

  function emit(body) {
    const { event, conversationId, seq, recipients, message } = JSON.parse(body);
    if (seq <= (emitted.get(conversationId) ?? 0)) {
      return; // the queue delivers at least once
    }
    if (recipients.length > 0) {
      io.to(recipients.map(socketsOf)).emit(event, message);
    }
    emitted.set(conversationId, seq);
  }

  async function take() {
    const request = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds };
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(request), { abortSignal: stop.signal });
    for (const { Body, ReceiptHandle } of Messages) {
      try {
        emit(Body);
      } catch (error) {
        log.error("the bridge drops a message that it cannot read", error);
      }
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }

  async function run() {
    while (!stop.signal.aborted) {
      try {
        await take();
      } catch (error) {
        if (!stop.signal.aborted) {
          log.error("the bridge cannot read its queue; it tries again", error);
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      }
    }
  }

  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}

/**
 * Refuse every event that writes while `refused()` is true; the client is asked to load the page again, which gives it
 * the new client.
 *
 * @param {import("socket.io").Server} io the server; call this before sockets connect.
 * @param {() => boolean} refused read for each event, for example `() => process.env.OLD_WRITES === "off"`.
 */
export function refuseWrites(io, refused) {
  io.use((socket, next) => {
    socket.use(([event, ...parameters], proceed) => {
      if (!refused() || !WRITES.includes(event)) {
        return proceed();
      }
      const acknowledge = parameters.at(-1);
      if (typeof acknowledge === "function") {
        acknowledge({ success: false, error: "This version is no longer served. Load the page again." });
      }
      return undefined;
    });
    next();
  });
}
