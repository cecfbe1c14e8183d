// Namespace "calls": one channel per call, /calls/{sessionId}, for the events of that call.
//
// subscribe  participants of the call, unless it is hidden from them; looked up in the Calls table, the handler's data
//            source; exactly two segments
// publish    route functions (IAM, decided by the namespace's auth modes); every event must have a known type

import { util } from '@aws-appsync/utils';
import { get } from '@aws-appsync/utils/dynamodb';

// <generated: event types>
const EVENT_TYPES = [
  'PARTICIPANT_JOINED',
  'PARTICIPANT_LEFT',
  'CALL_ENDED',
];
// </generated>

export const onSubscribe = {
  request(ctx) {
    const segments = ctx.info.channel.segments;
    if (!ctx.identity?.sub || segments.length !== 2 || segments[1] === '*') {
      util.unauthorized();
    }
    return get({ key: { sessionId: segments[1] }, consistentRead: true });
  },
  response(ctx) {
    if (ctx.error) {
      util.error('The call could not be looked up; try again', 'UNAVAILABLE');
    }
    const participants = ctx.result?.participants;
    const hiddenFrom = ctx.result?.hiddenFrom ?? [];
    if (!participants || !Object.hasOwn(participants, ctx.identity.sub) || hiddenFrom.includes(ctx.identity.sub)) {
      util.unauthorized();
    }
  },
};

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
