// The event to broadcast, or the same id with the reason why it is not.
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
