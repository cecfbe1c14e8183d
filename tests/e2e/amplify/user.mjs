// One user of the unmodified Amplify library, driven by a test: signs in by SRP, calls the API with the access token,
// listens on the user's own channel, answers the first message, and tries channels that are not the user's.
// Argument: one JSON object {userPoolId, userPoolClientId, userPoolEndpoint, eventsEndpoint, region, apiUrl, email,
// password, other, conversationId}. Writes one JSON object a line.
import { Amplify } from 'aws-amplify';
import { fetchAuthSession, signIn } from 'aws-amplify/auth';
import { events } from 'aws-amplify/data';

const given = JSON.parse(process.argv[2]);
const say = (step, value) => console.log(JSON.stringify({ step, value }));

Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: given.userPoolId,
      userPoolClientId: given.userPoolClientId,
      ...(given.userPoolEndpoint ? { userPoolEndpoint: given.userPoolEndpoint } : {}),
    },
  },
  API: { Events: { endpoint: given.eventsEndpoint, region: given.region, defaultAuthMode: 'userPool' } },
});

const signedIn = await signIn({
  username: given.email,
  password: given.password,
  options: { authFlowType: 'USER_SRP_AUTH' },
});
say('signed in', signedIn.isSignedIn);

async function call(method, path, body) {
  const { tokens } = await fetchAuthSession();
  const response = await fetch(given.apiUrl + path, {
    method,
    headers: { authorization: `Bearer ${tokens.accessToken}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const me = await call('GET', '/api/users/me');
say('profile', me.body.user.fullName);
const userId = me.body.user.userId;

let arrived;
const first = new Promise((resolve) => { arrived = resolve; });
const channel = await events.connect(`/chats/${userId}`);
const subscription = channel.subscribe({
  next: (message) => { if (message.event.type === 'MESSAGE_SENT') arrived(message.event); },
  error: (error) => { say('failed', String(error.message ?? JSON.stringify(error))); process.exit(1); },
});
await subscription.ready;
say('subscribed', channel !== undefined);

const event = await first;
say('received', event.data.content);
const answer = await call('POST', '/api/messages/send', {
  conversationId: given.conversationId,
  content: `re: ${event.data.content}`,
  replyTo: event.data.messageId,
});
say('answered', answer.status);

async function attempt(name) {
  const foreign = await events.connect(name);
  const outcome = await new Promise((resolve) => {
    const tried = foreign.subscribe({ next: () => resolve('delivered'), error: () => resolve('refused') });
    tried.ready.then(() => resolve('allowed'), () => resolve('refused'));
  });
  foreign.close();
  return outcome;
}
say('foreign channel', await attempt(`/chats/${given.other}`));
say('wildcard', await attempt('/chats/*'));
let post = 'allowed';
try {
  await events.post(`/chats/${given.other}`, { type: 'MESSAGE_SENT', data: { content: 'forged' } });
} catch {
  post = 'refused';
}
say('forged event', post);
events.closeAll();
process.exit(0);
