// Subscribes, publishes twice a second over HTTP, and prints which events it received and its connection states:
// `node amplify_lifetime.mjs '{"endpoint", "apiKey", "channel", "seconds"}'`.
import { Amplify } from 'aws-amplify';
import { CONNECTION_STATE_CHANGE, events } from 'aws-amplify/data';
import { Hub } from 'aws-amplify/utils';

const { endpoint, apiKey, channel, seconds } = JSON.parse(process.argv[2]);
Amplify.configure({ API: { Events: { endpoint, region: 'us-east-1', defaultAuthMode: 'apiKey', apiKey } } });

const states = [];
Hub.listen('api', ({ payload }) => {
  if (payload.event === CONNECTION_STATE_CHANGE) states.push(payload.data.connectionState);
});
const received = [];
const connected = await events.connect(channel);
const subscription = connected.subscribe({ next: (message) => received.push(message.event.n), error: () => {} });
await subscription.ready;
for (let n = 0; n < seconds * 2; n += 1) {
  await events.post(channel, { n });
  await new Promise((resolve) => setTimeout(resolve, 500));
}
console.log(JSON.stringify({ received, states }));
process.exit(0);
