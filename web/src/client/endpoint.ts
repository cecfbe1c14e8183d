/**
 * The endpoint for Amplify's Events client.
 *
 * Amplify 6 derives the WebSocket address from the HTTP endpoint by replacing both `http://` and `https://` with
 * `wss://`. So it would use TLS with the plain-text endpoint of a local cloud and never connect. It does not change
 * `ws://`. This page only subscribes (the backend publishes), so it needs the WebSocket address only; on AWS, where the
 * endpoint is `https://`, nothing changes.
 */
export function socketEndpoint(eventsHttpEndpoint: string): string {
  return eventsHttpEndpoint.replace(/^http:\/\//i, "ws://");
}
