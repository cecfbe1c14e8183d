"""The routes of users."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from client.api.transport import HttpTransport
from contract import requests, responses
from contract.models import Year


class UsersApi(HttpTransport):
    """The routes of users, as one signed-in user calls them."""

    async def me(self) -> responses.MeAnswer:
        """Read the user's own profile."""
        return await self._request("getMe", {}, responses.MeAnswer)

    async def update_me(
        self,
        *,
        first_name: str | UnsetType = UNSET,
        last_name: str | UnsetType = UNSET,
        profile_picture: str | UnsetType | None = UNSET,
        major: str | UnsetType | None = UNSET,
        year: Year | UnsetType | None = UNSET,
        bio: str | UnsetType | None = UNSET,
        interests: Sequence[str] | UnsetType = UNSET,
        portfolio_url: str | UnsetType | None = UNSET,
    ) -> responses.MeAnswer:
        """Change the user's own profile; an omitted argument changes nothing, None clears."""
        request = requests.UpdateProfile(
            firstName=first_name,
            lastName=last_name,
            profilePicture=profile_picture,
            major=major,
            year=year,
            bio=bio,
            interests=interests if isinstance(interests, UnsetType) else list(interests),
            portfolioUrl=portfolio_url,
        )
        return await self._request("updateMe", request, responses.MeAnswer)

    async def user(self, user_id: str) -> responses.UserAnswer:
        """Read another user's public profile."""
        return await self._request("getUser", {}, responses.UserAnswer, path={"userId": user_id})

    async def search_users(self, text: str, *, limit: int | None = None) -> responses.UserPage:
        """Find users by name."""
        return await self._request("searchUsers", {"q": text, "limit": limit}, responses.UserPage)

    async def block(self, user_id: str) -> responses.Done:
        """Block a user."""
        return await self._request("blockUser", requests.EmptyRequest(), responses.Done, path={"userId": user_id})

    async def unblock(self, user_id: str) -> responses.Done:
        """Unblock a user."""
        return await self._request("unblockUser", {}, responses.Done, path={"userId": user_id})

    async def blocks(self) -> responses.BlockPage:
        """Read the users whom the user has blocked."""
        return await self._request("listBlocks", {}, responses.BlockPage)
