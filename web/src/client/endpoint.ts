/**
 * The endpoint that Amplify's Events client is given.
 *
 * Amplify 6 derives the address of its socket from the HTTP endpoint by replacing `http://` as well as `https://` by
 * `wss://`. A plain-text endpoint, as a local cloud has it, would therefore be spoken to in TLS and never connect. It
 * leaves `ws://` as it is. This page only subscribes (publishing is the backend's), so the socket's address is all that
 * it needs; on AWS, where the endpoint is `https://`, nothing changes.
 */
export function socketEndpoint(eventsHttpEndpoint: string): string {
  return eventsHttpEndpoint.replace(/^http:\/\//i, "ws://");
}
