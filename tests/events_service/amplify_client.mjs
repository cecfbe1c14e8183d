// The unmodified Amplify client, driven by a test: connects, subscribes, publishes over both transports.
// Arguments: one JSON object {endpoint, mode, apiKey, accessToken, credentials, channel, forbidden}.
import { Amplify } from 'aws-amplify';
import { decodeJWT } from 'aws-amplify/auth';
import { events } from 'aws-amplify/data';

const given = JSON.parse(process.argv[2]);
const tokens = given.accessToken && { accessToken: decodeJWT(given.accessToken) };
Amplify.configure(
  {
    API: {
      Events: { endpoint: given.endpoint, region: 'us-east-1', defaultAuthMode: given.mode, apiKey: given.apiKey },
    },
  },
  {
    Auth: {
      tokenProvider: { getTokens: async () => tokens },
      credentialsProvider: {
        getCredentialsAndIdentityId: async () => ({ credentials: given.credentials }),
        clearCredentialsAndIdentityId: () => {},
      },
    },
  },
);

const received = [];
let enough;
const all = new Promise((resolve) => { enough = resolve; });
const channel = await events.connect(given.channel);
const subscription = channel.subscribe({
  next: (message) => { received.push(message.event); if (received.length === 3) enough(); },
  error: (error) => { console.error(JSON.stringify(error)); process.exit(1); },
});
await subscription.ready;
await channel.publish({ over: 'socket', text: 'ü€😀' });
await events.post(given.channel, [{ over: 'http', n: 1 }, { over: 'http', n: 2 }]);
await all;
let refused = null;
try {
  await events.post(given.forbidden, { x: 1 });
} catch (error) {
  refused = String(error.message ?? error.errors?.[0]?.message ?? error);
}
events.closeAll();
console.log(JSON.stringify({ received, refused }));
process.exit(0);
