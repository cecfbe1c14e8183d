"""A user pool as the other stacks use it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UserPoolReference:
    """A created or imported user pool: its id, its region, and the app clients whose tokens are accepted."""

    id: str
    region: str
    client_ids: tuple[str, ...]

    @property
    def issuer(self) -> str:
        """Return the issuer of the pool's tokens."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.id}"
