"""The client side of Cognito's USER_SRP_AUTH: proves knowledge of the password without sending it.

Group, hash and key derivation are those of Amazon Cognito's own JavaScript SDK (amazon-cognito-identity-js,
AuthenticationHelper): the 3072-bit group of RFC 5054, g = 2, SHA-256, HKDF with the info "Caldera Derived Key".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

_N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_G = 2
_INFO = b"Caldera Derived Key\x01"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _octets(number: int) -> bytes:
    """Return a number big-endian with its highest bit clear, as Java's BigInteger writes it."""
    return number.to_bytes((number.bit_length() + 8) // 8, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


_K = _hash(_octets(_N), _octets(_G))


def formatted(time: datetime) -> str:
    """Return a UTC time in the challenge's format, in any locale: `Sun Nov 2 09:05:00 UTC 2026`."""
    return f"{_DAYS[time.weekday()]} {_MONTHS[time.month - 1]} {time.day} {time:%H:%M:%S} UTC {time.year}"


@dataclass(frozen=True, repr=False)
class SrpExchange:
    """One sign-in; `a` is the client's secret exponent, random for each."""

    a: int

    @classmethod
    def start(cls) -> SrpExchange:
        """Start an exchange with a new secret."""
        return cls(secrets.randbits(1024) % _N or 1)

    @property
    def public(self) -> int:
        return pow(_G, self.a, _N)

    @property
    def srp_a(self) -> str:
        """The SRP_A parameter of InitiateAuth, in hexadecimal."""
        return f"{self.public:x}"

    def key(self, pool_id: str, user_id: str, password: str, srp_b: str, salt: str) -> bytes:
        """Derive the 16-byte key, which both sides share if the password is right.

        Args:
            pool_id: the user pool's id, `region_name`.
            user_id: USER_ID_FOR_SRP of the challenge.
            password: in plain text; not part of the result.
            srp_b, salt: SRP_B and SALT of the challenge, in hexadecimal.

        Raises:
            ValueError: with the server's value, the key would not depend on the password.
        """
        b = int(srp_b, 16)
        u = _hash(_octets(self.public), _octets(b))
        if b % _N == 0 or u == 0:
            raise ValueError("the server's SRP_B is not acceptable: the key would not depend on the password")
        identity = hashlib.sha256(f"{pool_id.split('_', 1)[1]}{user_id}:{password}".encode()).digest()
        x = _hash(_octets(int(salt, 16)), identity)
        shared = pow(b - _K * pow(_G, x, _N), self.a + u * x, _N)
        extracted = hmac.digest(_octets(u), _octets(shared), "sha256")
        return hmac.digest(extracted, _INFO, "sha256")[:16]

    def challenge_response(
        self, pool_id: str, password: str, challenge: dict[str, str], *, now: datetime | None = None
    ) -> dict[str, str]:
        """Return the response to a PASSWORD_VERIFIER challenge.

        Args:
            pool_id: the user pool's id.
            password: in plain text; the result holds only its proof.
            challenge: ChallengeParameters of the response to InitiateAuth.
            now: the time to sign; the present if absent.

        Returns:
            ChallengeResponses of RespondToAuthChallenge.
        """
        user_id = challenge["USER_ID_FOR_SRP"]
        secret_block = challenge["SECRET_BLOCK"]
        timestamp = formatted(now or datetime.now(UTC))
        key = self.key(pool_id, user_id, password, challenge["SRP_B"], challenge["SALT"])
        signed = f"{pool_id.split('_', 1)[1]}{user_id}".encode() + base64.b64decode(secret_block) + timestamp.encode()
        return {
            "USERNAME": challenge.get("USERNAME", user_id),
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": secret_block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, signed, "sha256")).decode(),
        }
