// Namespace "users": one channel per user, /users/{userId}, for ringing calls and changes of profiles and blocks.
//
// subscribe  only the user whose id (Cognito sub) is the channel's second segment; no wildcard, no deeper path
// publish    route functions (IAM, decided by the namespace's auth modes); every event must have a known type

import { util } from '@aws-appsync/utils';

// <generated: event types>
const EVENT_TYPES = [
  'USER_UPDATED',
  'USER_BLOCKED',
  'USER_UNBLOCKED',
  'INCOMING_CALL',
  'CALL_RINGING',
  'CALL_CONNECTED',
  'PARTICIPANT_JOINED',
  'PARTICIPANT_LEFT',
  'CALL_REJECTED',
  'CALL_CANCELLED',
  'CALL_MISSED',
  'CALL_ENDED',
  'CALL_ERROR',
];
// </generated>

export function onSubscribe(ctx) {
  const segments = ctx.info.channel.segments;
  const userId = ctx.identity?.sub;
  if (!userId || segments.length !== 2 || segments[1] !== userId) {
    util.unauthorized();
  }
}

export function onPublish(ctx) {
  const serverTimestamp = util.time.nowISO8601();
  return ctx.events.map((event) => stamped(event, serverTimestamp));
}

// <generated: stamping>
// Returns the event with a server timestamp, or its id with an error if the type is not known.
function stamped(event, serverTimestamp) {
  const payload = event.payload;
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'type')) {
    return { id: event.id, error: 'The event must be an object with a type' };
  }
  if (!EVENT_TYPES.includes(payload.type)) {
    return { id: event.id, error: `The type is not one of ${EVENT_TYPES.join(', ')}` };
  }
  return { id: event.id, payload: { ...payload, serverTimestamp } };
}
// </generated>
