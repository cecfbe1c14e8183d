// A conversation of an Amplify client with an Event API; the same code runs in Node and in a browser.
import { Amplify } from 'aws-amplify';
import { decodeJWT } from 'aws-amplify/auth';
import { events } from 'aws-amplify/data';

/**
 * Subscribe, publish over both transports, and attempt a forbidden publish and a forbidden subscription.
 * @param given {endpoint, mode, apiKey, accessToken, authToken, credentials, channel, refused: {publish, subscribe}},
 *   and optionally subscribeMode (instead of `mode`) and `payload` (fields of every event).
 * @returns {received, refusals}: the received events, and the message of each refusal (null if it was allowed).
 */
export async function converse(given) {
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
  const modeOf = (authMode) => ({ authMode, ...(authMode === 'lambda' && { authToken: given.authToken }) });
  const options = modeOf(given.mode);
  const subscribing = modeOf(given.subscribeMode ?? given.mode);
  const event = (fields) => ({ ...given.payload, ...fields });

  const received = [];
  const channel = await events.connect(given.channel, subscribing);
  await new Promise((resolve, reject) => {
    const next = (message) => {
      received.push(message.event);
      if (received.length === 3) resolve();
    };
    const subscription = channel.subscribe({ next, error: (error) => reject(new Error(text(error))) }, subscribing);
    subscription.ready
      .then(() => channel.publish(event({ over: 'socket', text: 'ü€😀' }), options))
      .then(() => events.post(given.channel, [event({ over: 'http', n: 1 }), event({ over: 'http', n: 2 })], options))
      .catch(reject);
  });

  const refusals = [];
  await events.post(given.refused.publish, { x: 1 }, options).then(
    () => refusals.push(null),
    (error) => refusals.push(text(error)),
  );
  const closed = await events.connect(given.refused.subscribe, subscribing);
  await new Promise((resolve) => {
    const refused = (error) => { refusals.push(text(error)); resolve(); };
    const subscription = closed.subscribe({ next: () => {}, error: refused }, subscribing);
    subscription.ready.then(() => { refusals.push(null); resolve(); }, () => {});
  });
  await events.closeAll();
  return { received, refusals };
}

function text(error) {
  return String(error.message ?? error.errors?.[0]?.message ?? JSON.stringify(error));
}
