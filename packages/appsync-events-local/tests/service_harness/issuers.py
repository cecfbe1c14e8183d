"""An OpenID Connect issuer on loopback: discovery document, key set, and tokens signed with any of its keys."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm
from service_harness.running import on_port

SECRET = "a published secret of this issuer, which has enough bytes for an HMAC with SHA-512"
CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@dataclass
class Issuer:
    """An issuer with the keys `rsa`, `ES256`, `ES384`, `ES512` and `secret`."""

    rsa_key: rsa.RSAPrivateKey
    url: str = ""
    discovery: dict[str, Any] = field(default_factory=dict)
    fetches: int = 0
    ec_keys: dict[str, ec.EllipticCurvePrivateKey] = field(
        default_factory=lambda: {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}
    )

    def key_set(self) -> dict[str, Any]:
        published = {"rsa": RSAAlgorithm.to_jwk(self.rsa_key.public_key()), "secret": HMACAlgorithm.to_jwk(SECRET)}
        published |= {name: ECAlgorithm.to_jwk(key.public_key()) for name, key in self.ec_keys.items()}
        return {"keys": [json.loads(entry) | {"kid": name} for name, entry in published.items()]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes; the value `...` removes a claim."""
        now = int(time.time())
        claims = {"sub": "user-7", "iss": self.url, "aud": "app", "iat": now, "auth_time": now, "exp": now + 3600}
        return {name: value for name, value in (claims | changes).items() if value is not ...}

    def token(self, algorithm: str = "RS256", key_id: str | None = None, **changes: Any) -> str:
        kind = algorithm[:2]
        name = {"ES": algorithm, "HS": "secret"}.get(kind, "rsa")
        keys: dict[str, Any] = {"rsa": self.rsa_key, "secret": SECRET, **self.ec_keys}
        return jwt.encode(self.claims(**changes), keys[name], algorithm=algorithm, headers={"kid": key_id or name})

    @asynccontextmanager
    async def served(self) -> AsyncIterator["Issuer"]:
        async def discovery(_: web.Request) -> web.Response:
            return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.discovery)

        async def keys(_: web.Request) -> web.Response:
            self.fetches += 1
            return web.json_response(self.key_set())

        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", discovery)
        app.router.add_get("/keys", keys)
        async with on_port(app) as self.url:
            yield self
