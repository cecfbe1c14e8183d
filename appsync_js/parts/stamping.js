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
