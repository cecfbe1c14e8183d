"""The routes of conversations."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from client.api.transport import HttpTransport
from contract import requests, responses
from contract.models import Role


class ConversationsApi(HttpTransport):
    """The routes of conversations, as one signed-in user calls them."""

    async def conversations(self, *, limit: int | None = None, cursor: str | None = None) -> responses.ConversationPage:
        """Read a page of the user's conversations, newest message first."""
        return await self._request("listConversations", {"limit": limit, "cursor": cursor}, responses.ConversationPage)

    async def open_direct(self, user_id: str) -> responses.DirectAnswer:
        """Find or create the conversation with one other user."""
        return await self._request("openDirect", requests.OpenDirect(userId=user_id), responses.DirectAnswer)

    async def create_group(
        self,
        name: str,
        member_ids: Sequence[str],
        *,
        description: str | None = None,
        avatar: str | None = None,
        class_code: str | None = None,
        semester: str | None = None,
        tags: Sequence[str] = (),
        is_public: bool = False,
        require_approval: bool = True,
        max_members: int = 0,
        temp_id: str | None = None,
    ) -> responses.GroupAnswer:
        """Create a group. With a `temp_id` the request is retried, and the group created once."""
        request = requests.CreateGroup(
            name=name,
            memberIds=list(member_ids),
            description=description,
            avatar=avatar,
            classCode=class_code,
            semester=semester,
            tags=list(tags),
            isPublic=is_public,
            requireApproval=require_approval,
            maxMembers=max_members,
            tempId=temp_id,
        )
        return await self._request("createGroup", request, responses.GroupAnswer, once=temp_id is None)

    async def conversation(self, conversation_id: str) -> responses.ConversationAnswer:
        """Read one conversation with its members."""
        return await self._request("getConversation", {}, responses.ConversationAnswer, path=_path(conversation_id))

    async def update_group(
        self,
        conversation_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        avatar: str | UnsetType | None = UNSET,
    ) -> responses.GroupAnswer:
        """Change a group's name, description or avatar; an omitted argument changes nothing, None clears."""
        request = requests.UpdateGroup(name=name, description=description, avatar=avatar)
        return await self._request("updateGroup", request, responses.GroupAnswer, path=_path(conversation_id))

    async def add_members(self, conversation_id: str, user_ids: Sequence[str]) -> responses.GroupAnswer:
        """Add users to a group."""
        request = requests.AddMembers(userIds=list(user_ids))
        return await self._request("addMembers", request, responses.GroupAnswer, path=_path(conversation_id))

    async def remove_member(self, conversation_id: str, user_id: str) -> responses.GroupAnswer:
        """Remove a user from a group."""
        path = _path(conversation_id) | {"userId": user_id}
        return await self._request("removeMember", {}, responses.GroupAnswer, path=path)

    async def set_role(self, conversation_id: str, user_id: str, role: Role) -> responses.GroupAnswer:
        """Make a member an admin, or an admin a member."""
        path = _path(conversation_id) | {"userId": user_id}
        return await self._request("setRole", requests.SetRole(role=role), responses.GroupAnswer, path=path)

    async def leave_group(self, conversation_id: str) -> responses.Done:
        """Leave a group."""
        return await self._request("leaveGroup", requests.EmptyRequest(), responses.Done, path=_path(conversation_id))


def _path(conversation_id: str) -> dict[str, str]:
    return {"conversationId": conversation_id}
