// The old application's Socket.IO server in the shape of the migration guide: it joins each socket to `user:{sub}`,
// stores messages without number, and emits them to the participants. Made for tests: the token is the user id itself.
// Prints its port when it listens, and exits when its input ends.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Server } from "socket.io";
import { refuseWrites, startBridge } from "../../../ops/cutover/old_server/bridge.mjs";

const { ENDPOINT, CONVERSATIONS_TABLE, MESSAGES_TABLE, QUEUE_URL, OLD_WRITES, CRASH_BEFORE_DELETE } = process.env;
const aws = { endpoint: ENDPOINT, region: "us-east-1", credentials: { accessKeyId: "local-test", secretAccessKey: "local-test" } };
const dynamodb = new DynamoDBClient(aws);
const http = createServer();
const io = new Server(http);

io.use((socket, next) => {
  socket.data.userId = socket.handshake.auth.token;
  next(socket.data.userId ? undefined : new Error("no token"));
});
refuseWrites(io, () => OLD_WRITES === "off");

async function sendMessage(senderId, { conversationId, content, type = "TEXT" }) {
  const key = { conversationId: { S: conversationId } };
  const { Item: conversation } = await dynamodb.send(new GetItemCommand({ TableName: CONVERSATIONS_TABLE, Key: key }));
  const timestamp = new Date().toISOString();
  const message = {
    conversationId, timestamp, messageId: randomUUID(), senderId, type, content,
    mediaUrl: null, fileName: null, fileSize: null, duration: null, replyTo: null,
    readBy: [], reactions: {}, deleted: false, createdAt: new Date().toISOString(),
  };
  const value = (each) =>
    each === null ? { NULL: true } : Array.isArray(each) ? { L: [] } : typeof each === "object" ? { M: {} } : typeof each === "boolean" ? { BOOL: each } : { S: each };
  const Item = Object.fromEntries(Object.entries(message).map(([name, each]) => [name, value(each)]));
  await dynamodb.send(new PutItemCommand({ TableName: MESSAGES_TABLE, Item }));
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: CONVERSATIONS_TABLE,
      Key: key,
      UpdateExpression: "SET lastMessageAt = :now, updatedAt = :now",
      ExpressionAttributeValues: { ":now": { S: new Date().toISOString() } },
    })
  );
  io.to(conversation.participants.L.map(({ S }) => `user:${S}`)).emit("new-message", message);
  return message;
}

io.on("connection", (socket) => {
  socket.join(`user:${socket.data.userId}`);
  socket.on("send-message", async (request, acknowledge) => {
    try {
      const message = await sendMessage(socket.data.userId, request);
      acknowledge({ success: true, messageId: message.messageId, tempId: request.tempId });
    } catch (error) {
      acknowledge({ success: false, error: String(error) });
    }
  });
});

if (QUEUE_URL) {
  const client = new SQSClient(aws);
  if (CRASH_BEFORE_DELETE) {
    const send = client.send.bind(client);
    client.send = (command, ...rest) =>
      command.constructor.name === "DeleteMessageCommand" ? new Promise(() => setTimeout(() => process.exit(9), 100)) : send(command, ...rest);
  }
  startBridge(io, { queueUrl: QUEUE_URL, client, waitSeconds: 1 });
}
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
