/**
 * Which users get the new client: a stable hash of the user id, so that a user stays on one side, and a greater share
 * only adds users. `ops/cutover/share.py` is the same function; a test compares them.
 *
 * The front end calls it after sign-in, with the share from its own setting:
 * `usesNewClient(user.sub, Number(process.env.NEXT_PUBLIC_NEW_CLIENT_PERCENT ?? 0))`.
 *
 * @param {string} userId the Cognito `sub`.
 * @param {number} percent from 0 (no user) to 100 (every user).
 * @returns {boolean}
 */
export function usesNewClient(userId, percent) {
  return bucket(userId) < percent * 100;
}

/** Return a number from 0 to 9999: FNV-1a with 32 bits over the id's UTF-8 bytes. */
export function bucket(userId) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(userId)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % 10_000;
}
